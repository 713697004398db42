package hashnet.android

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.net.Uri
import hashnet.hamming.Orientation
import java.io.IOException

/** What is larger is decoded at half its height and width, as in training. */
private const val MAX_PIXELS = 1L shl 26

/**
 * Decodes a picture for `HashNetEncoder.encode`, as near to training as
 * Android comes: turned upright as the camera noted, with the colours of
 * transparent pixels as they are in the file.
 *
 * @param resolver of the app's context
 * @param picture as the system's picker returns it
 * @return bitmap to encode; not to draw, which Android refuses where its
 *     colours are not multiplied by its transparency
 * @throws IOException if it cannot be opened or is no picture
 */
fun decodePicture(resolver: ContentResolver, picture: Uri): Bitmap {
    val stream =
        resolver.openInputStream(picture)
            ?: throw IOException("There must be a file. Received: $picture")
    val file = stream.use { it.readBytes() }
    val options =
        BitmapFactory.Options().apply {
            inPreferredConfig = Bitmap.Config.ARGB_8888
            inPremultiplied = false
            inJustDecodeBounds = true
        }
    BitmapFactory.decodeByteArray(file, 0, file.size, options)
    options.inJustDecodeBounds = false
    if (options.outWidth.toLong() * options.outHeight > MAX_PIXELS) {
        options.inSampleSize = 2
    }
    val stored =
        BitmapFactory.decodeByteArray(file, 0, file.size, options)
            ?: throw IOException("It must be a picture. Received: $picture")
    return upright(stored, Orientation.of(file))
}

/** By its pixels, for a canvas draws no colours that are not multiplied. */
private fun upright(stored: Bitmap, orientation: Int): Bitmap {
    if (orientation == Orientation.UPRIGHT) return stored
    val swaps = Orientation.swapsSides(orientation)
    val width = if (swaps) stored.height else stored.width
    val height = if (swaps) stored.width else stored.height
    val turned = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
    turned.isPremultiplied = false
    turned.setHasAlpha(stored.hasAlpha())
    val row = IntArray(width)
    val pixels =
        Orientation.Pixels { x, y, wide, high, argb ->
            stored.getPixels(argb, 0, wide, x, y, wide, high)
        }
    for (y in 0 until height) {
        Orientation.readRow(pixels, height, width, orientation, y, row)
        turned.setPixels(row, 0, width, 0, y, width, 1)
    }
    stored.recycle()
    return turned
}
