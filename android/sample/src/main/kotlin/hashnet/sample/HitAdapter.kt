package hashnet.sample

import android.content.Context
import android.graphics.drawable.Drawable
import android.view.View
import android.view.ViewGroup
import android.widget.ArrayAdapter
import android.widget.TextView
import hashnet.android.Match

/** A picture that was found, and a small one of it, if the app has one. */
class Hit(private val match: Match, val thumbnail: Drawable?) {
    override fun toString(): String = "${match.distance} bits: ${match.id}"
}

/** Shows what was found in a list: thumbnails, and names beside them. */
class HitAdapter(context: Context, private val hits: List<Hit>) :
    ArrayAdapter<Hit>(context, android.R.layout.simple_list_item_1, hits) {

    override fun getView(
        position: Int,
        convertView: View?,
        parent: ViewGroup
    ): View {
        val row = super.getView(position, convertView, parent) as TextView
        // Set even where there is none, for the row may have shown another.
        row.setCompoundDrawablesRelativeWithIntrinsicBounds(
            hits[position].thumbnail,
            null,
            null,
            null
        )
        return row
    }
}
