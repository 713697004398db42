package android.graphics.drawable

import android.content.res.Resources
import android.graphics.Bitmap

abstract class Drawable

class BitmapDrawable(val resources: Resources, val bitmap: Bitmap) : Drawable()
