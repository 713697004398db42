package android.util

class DisplayMetrics {
    val heightPixels = 0
}
