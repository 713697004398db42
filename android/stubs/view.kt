package android.view

import android.content.Context

open class View(val context: Context) {
    fun interface OnClickListener {
        fun onClick(view: View)
    }
}

open class ViewGroup(context: Context) : View(context) {
    var fitsSystemWindows = false

    fun addView(view: View): Unit = TODO("Android has it: $view")
}
