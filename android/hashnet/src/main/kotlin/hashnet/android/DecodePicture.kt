package hashnet.android

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.net.Uri
import java.io.IOException

/**
 * Decodes a picture for `HashNetEncoder.encode`, as near to training as
 * Android comes: in full size, not turned by what the camera noted, with the
 * colours of transparent pixels as they are in the file.
 *
 * @param resolver of the app's context
 * @param picture as the system's picker returns it
 * @return bitmap to encode; not to draw, which Android refuses where its
 *     colours are not multiplied by its transparency
 * @throws IOException if it cannot be opened or is no picture
 */
fun decodePicture(resolver: ContentResolver, picture: Uri): Bitmap {
    val options =
        BitmapFactory.Options().apply {
            inPreferredConfig = Bitmap.Config.ARGB_8888
            inPremultiplied = false
        }
    val stream =
        resolver.openInputStream(picture)
            ?: throw IOException("There must be a file. Received: $picture")
    return stream.use { BitmapFactory.decodeStream(it, null, options) }
        ?: throw IOException("It must be a picture. Received: $picture")
}
