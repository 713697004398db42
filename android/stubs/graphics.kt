package android.graphics

import java.awt.image.BufferedImage
import java.io.ByteArrayInputStream
import java.io.InputStream
import javax.imageio.ImageIO

class Rect

/** Pixels in memory, with no more than the sources ask of Android's. */
class Bitmap private constructor(val width: Int, val height: Int) {
    private val argb = IntArray(width * height)
    private var alpha = true

    val config: Config? = Config.ARGB_8888
    var isPremultiplied = true
    var density = 0

    fun getPixels(
        pixels: IntArray,
        offset: Int,
        stride: Int,
        x: Int,
        y: Int,
        width: Int,
        height: Int
    ) {
        for (row in 0 until height) {
            val from = (y + row) * this.width + x
            argb.copyInto(pixels, offset + row * stride, from, from + width)
        }
    }

    fun setPixels(
        pixels: IntArray,
        offset: Int,
        stride: Int,
        x: Int,
        y: Int,
        width: Int,
        height: Int
    ) {
        for (row in 0 until height) {
            val from = offset + row * stride
            val to = (y + row) * this.width + x
            pixels.copyInto(argb, to, from, from + width)
        }
    }

    fun copy(config: Config, isMutable: Boolean): Bitmap? =
        this.takeIf { config == this.config && !isMutable }

    fun hasAlpha(): Boolean = alpha

    fun setHasAlpha(hasAlpha: Boolean) {
        alpha = hasAlpha
    }

    fun recycle() {}

    enum class Config {
        ARGB_8888
    }

    companion object {
        private const val OPAQUE = 0xff shl 24
        private const val GREY = 0x010101

        fun createBitmap(width: Int, height: Int, config: Config): Bitmap {
            require(config == Config.ARGB_8888)
            return Bitmap(width, height)
        }

        internal fun of(image: BufferedImage): Bitmap {
            val bitmap = Bitmap(image.width, image.height)
            image.getRGB(
                0,
                0,
                image.width,
                image.height,
                bitmap.argb,
                0,
                image.width
            )
            if (image.raster.numBands == 1) {
                // Of these `getRGB` takes the numbers for amounts of light.
                for (place in bitmap.argb.indices) {
                    val grey =
                        image.raster.getSample(
                            place % image.width,
                            place / image.width,
                            0
                        )
                    bitmap.argb[place] = OPAQUE or grey * GREY
                }
            }
            bitmap.alpha = image.colorModel.hasAlpha()
            return bitmap
        }
    }
}

/** By the decoders of the virtual machine, which are not Android's. */
object BitmapFactory {
    class Options {
        var inPreferredConfig: Bitmap.Config? = null
        var inPremultiplied = true
        var inJustDecodeBounds = false
        var inSampleSize = 0
        var outWidth = 0
        var outHeight = 0
    }

    fun decodeByteArray(
        data: ByteArray,
        offset: Int,
        length: Int,
        options: Options
    ): Bitmap? =
        decodeStream(ByteArrayInputStream(data, offset, length), null, options)

    fun decodeStream(stream: InputStream): Bitmap? =
        decodeStream(stream, null, Options())

    fun decodeStream(
        stream: InputStream,
        outPadding: Rect?,
        options: Options
    ): Bitmap? {
        check(outPadding == null && options.inSampleSize <= 1)
        val image = ImageIO.read(stream) ?: return null
        options.outWidth = image.width
        options.outHeight = image.height
        return if (options.inJustDecodeBounds) null else Bitmap.of(image)
    }
}
