plugins {
    id("com.android.application")
    id("org.jetbrains.kotlin.android")
}

android {
    namespace = "hashnet.sample"
    compileSdk = 36

    defaultConfig {
        applicationId = "hashnet.sample"
        minSdk = 24
        targetSdk = 36
        versionCode = 1
        versionName = "1.0"
    }
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    implementation(project(":hashnet"))
    implementation("androidx.activity:activity:1.10.1")
}
