package android.widget

import android.content.Context
import android.graphics.Bitmap
import android.graphics.drawable.Drawable
import android.view.View
import android.view.ViewGroup

open class TextView(context: Context) : View(context) {
    var text: CharSequence? = null

    fun setCompoundDrawablesRelativeWithIntrinsicBounds(
        start: Drawable?,
        top: Drawable?,
        end: Drawable?,
        bottom: Drawable?
    ): Unit = TODO("Android has it: $start, $top, $end, $bottom")
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

interface ListAdapter

open class ArrayAdapter<T>(
    val context: Context,
    private val resource: Int,
    private val objects: List<T>
) : ListAdapter {
    open fun getView(
        position: Int,
        convertView: View?,
        parent: ViewGroup
    ): View =
        TODO("Android has it: $resource, ${objects[position]}, $convertView")
}

class ListView(context: Context) : ViewGroup(context) {
    var adapter: ListAdapter? = null
}
