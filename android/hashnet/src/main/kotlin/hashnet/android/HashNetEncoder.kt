package hashnet.android

import android.content.res.AssetManager
import android.graphics.Bitmap
import hashnet.hamming.Bits
import hashnet.hamming.Framing
import hashnet.hamming.PixelRows
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.tensorflow.lite.Interpreter

/**
 * Turns pictures into packed codes, with a LiteRT file of `hashnet export`.
 *
 * It runs on the CPU, for bits near zero fall differently on other
 * processors. Calls wait for one another; make them off the main thread.
 *
 * @param model the file's bytes in a direct buffer of native order, or a
 *     memory map of the file, from its first byte; not to be changed afterwards
 * @param threads of the processor to use, at least 1
 * @throws IllegalArgumentException if the file is no such encoder, or of a
 *     framing that is not known here
 */
class HashNetEncoder(model: ByteBuffer, threads: Int = 2) : AutoCloseable {
    // First, for the runtime trusts what it is given.
    private val description = EncoderDescription.of(model)
    private val interpreter =
        Interpreter(model, Interpreter.Options().setNumThreads(threads))
    private val contract =
        try {
            EncoderContract.of(interpreter)
        } catch (e: RuntimeException) {
            interpreter.close()
            throw e
        }

    /** Height of the pictures that the network was trained on. */
    val height: Int = contract.height

    /** Width of the pictures that the network was trained on. */
    val width: Int = contract.width

    /** Length K of the codes. */
    val bits: Int = contract.bits

    /** Which part of a picture the network sees. */
    val framing: Framing = description.framing

    /** The same for codes that may be compared, as `CodeIndex.modelDigest`. */
    val modelDigest: String = description.modelDigest

    private val images = ByteBuffer.allocateDirect(height * width * 3)
    private val codes = ByteBuffer.allocateDirect(Bits.width(bits))

    /**
     * Encodes a picture of any size.
     *
     * @param picture as for `frame`
     * @return the packed code, ceil(K / 8) bytes
     * @throws IllegalArgumentException as `frame`
     */
    fun encode(picture: Bitmap): ByteArray = encode(frame(picture))

    /**
     * Frames a picture as in training, pixel for pixel, and not by Android,
     * whose scaling gives other pixels and so, near zero, other bits.
     *
     * @param picture of any size, upright, as `decodePicture` turns it by what
     *     the camera noted, which training does too
     * @return `height` * `width` * 3 bytes: row after row, red, green, blue
     * @throws IllegalArgumentException if its pixels cannot be read
     */
    fun frame(picture: Bitmap): ByteArray {
        // The pixels of a hardware bitmap, for one, cannot be read in place.
        val readable =
            if (picture.config == Bitmap.Config.ARGB_8888) picture
            else
                requireNotNull(picture.copy(Bitmap.Config.ARGB_8888, false)) {
                    "A picture must be readable. Received: ${picture.config}"
                }
        val across = readable.width
        val rows = PixelRows { y, argb ->
            readable.getPixels(argb, 0, across, 0, y, across, 1)
        }
        return framing.frame(rows, readable.height, across, height, width)
    }

    /**
     * Encodes a picture of the trained size, framed.
     *
     * @param rgb `height` * `width` * 3 bytes: row after row, red, green, blue
     * @return the packed code, ceil(K / 8) bytes
     * @throws IllegalArgumentException if there are more or fewer bytes
     */
    @Synchronized
    fun encode(rgb: ByteArray): ByteArray {
        require(rgb.size == images.capacity()) {
            "`rgb` must be $height x $width x 3 bytes." +
                " Received: rgb.size=${rgb.size}"
        }
        images.rewind()
        images.put(rgb)
        images.rewind()
        codes.rewind()
        interpreter.runSignature(
            mapOf(EncoderContract.IMAGES to images),
            mapOf(EncoderContract.CODES to codes),
            EncoderContract.SIGNATURE
        )
        codes.rewind()
        val code = ByteArray(codes.capacity())
        codes.get(code)
        return code
    }

    @Synchronized
    override fun close() {
        interpreter.close()
    }

    companion object {
        /**
         * Opens the encoder among an app's assets.
         *
         * @param assets of the app's context
         * @param name of the file, such as "encoder.tflite"
         * @throws java.io.IOException if there is no such asset
         * @throws IllegalArgumentException if it is no encoder
         */
        fun load(assets: AssetManager, name: String): HashNetEncoder {
            val bytes = assets.open(name).use { it.readBytes() }
            val model = ByteBuffer.allocateDirect(bytes.size)
            model.order(ByteOrder.nativeOrder())
            model.put(bytes)
            model.rewind()
            return HashNetEncoder(model)
        }
    }
}
