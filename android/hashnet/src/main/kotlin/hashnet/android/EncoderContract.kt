package hashnet.android

import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter

/** What a LiteRT file of `hashnet export` takes and gives. */
internal class EncoderContract
private constructor(val height: Int, val width: Int, val bits: Int) {
    companion object {
        const val SIGNATURE = "serving_default"
        const val IMAGES = "images"
        const val CODES = "codes"
        const val SIGNS = "signs"

        /** Reads it from a file; one that is no encoder is refused. */
        fun of(interpreter: Interpreter): EncoderContract {
            val keys = interpreter.signatureKeys.toList()
            require(SIGNATURE in keys) {
                "An encoder must have the signature $SIGNATURE." +
                    " Received: $keys"
            }
            val inputs = interpreter.getSignatureInputs(SIGNATURE).toList()
            val outputs = interpreter.getSignatureOutputs(SIGNATURE).toSet()
            require(
                inputs == listOf(IMAGES) &&
                    outputs.containsAll(listOf(CODES, SIGNS))
            ) {
                "An encoder must turn $IMAGES into $CODES and $SIGNS." +
                    " Received: from $inputs to $outputs"
            }
            val images =
                interpreter.getInputTensorFromSignature(IMAGES, SIGNATURE)
            val shape = images.shapeSignature()
            require(
                images.dataType() == DataType.UINT8 &&
                    shape.size == 4 &&
                    shape[3] == 3
            ) {
                "An encoder must take uint8 images [n, height, width, 3]." +
                    " Received: ${images.dataType()} of shape" +
                    " ${shape.contentToString()}"
            }
            val signs =
                interpreter.getOutputTensorFromSignature(SIGNS, SIGNATURE)
            val bits = signs.shapeSignature().last()
            return EncoderContract(shape[1], shape[2], bits)
        }
    }
}
