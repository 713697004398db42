package org.tensorflow.lite

import java.nio.ByteBuffer

enum class DataType {
    UINT8
}

class Tensor private constructor() {
    fun dataType(): DataType = TODO("LiteRT has it")

    fun shapeSignature(): IntArray = TODO("LiteRT has it")
}

/** LiteRT's, of which none is to be had for a virtual machine. */
class Interpreter(model: ByteBuffer, options: Options) : AutoCloseable {
    class Options {
        fun setNumThreads(threads: Int): Options = TODO("LiteRT: $threads")
    }

    val signatureKeys: Array<String> = TODO("LiteRT: $model, $options")

    fun getSignatureInputs(key: String): Array<String> = TODO("LiteRT: $key")

    fun getSignatureOutputs(key: String): Array<String> = TODO("LiteRT: $key")

    fun getInputTensorFromSignature(name: String, key: String): Tensor =
        TODO("LiteRT: $name, $key")

    fun getOutputTensorFromSignature(name: String, key: String): Tensor =
        TODO("LiteRT: $name, $key")

    fun runSignature(
        inputs: Map<String, Any>,
        outputs: Map<String, Any>,
        key: String
    ): Unit = TODO("LiteRT: $inputs, $outputs, $key")

    override fun close() {}
}
