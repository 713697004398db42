package android.util

class DisplayMetrics {
    val heightPixels = 0

    companion object {
        const val DENSITY_DEFAULT = 160
    }
}
