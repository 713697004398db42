package android.widget

import android.content.Context
import android.graphics.Bitmap
import android.view.View
import android.view.ViewGroup

open class TextView(context: Context) : View(context) {
    var text: CharSequence? = null
}

class Button(context: Context) : TextView(context) {
    fun setOnClickListener(listener: View.OnClickListener?): Unit =
        TODO("Android has it: $listener")
}

class ImageView(context: Context) : View(context) {
    var adjustViewBounds = false
    var maxHeight = 0

    fun setImageBitmap(bitmap: Bitmap?): Unit = TODO("Android has it: $bitmap")
}

class LinearLayout(context: Context) : ViewGroup(context) {
    var orientation = 0

    companion object {
        const val VERTICAL = 1
    }
}
