package org.tensorflow.lite

import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.File
import java.nio.ByteBuffer
import org.json.JSONObject

enum class DataType {
    UINT8,
    INT8
}

class Tensor
internal constructor(private val type: String, private val shape: IntArray) {
    fun dataType(): DataType = DataType.valueOf(type.uppercase())

    fun shapeSignature(): IntArray = shape
}

/**
 * LiteRT's, of which none is to be had for a virtual machine: the property
 * `litert` names Python and a script of the tests, which has Python's run.
 */
class Interpreter(model: ByteBuffer, options: Options) : AutoCloseable {
    class Options {
        internal var threads = 1

        fun setNumThreads(threads: Int): Options = apply {
            this.threads = threads
        }
    }

    private val runtime =
        ProcessBuilder(System.getProperty("litert").split(File.pathSeparator))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
    private val asks = DataOutputStream(runtime.outputStream)
    private val answers = DataInputStream(runtime.inputStream)
    private val signatures: JSONObject

    init {
        asks.writeInt(options.threads)
        signatures = JSONObject(answer(bytes(model)).toString(Charsets.UTF_8))
    }

    val signatureKeys: Array<String>
        get() = names(signatures)

    fun getSignatureInputs(key: String): Array<String> =
        names(tensors(key, "inputs"))

    fun getSignatureOutputs(key: String): Array<String> =
        names(tensors(key, "outputs"))

    fun getInputTensorFromSignature(name: String, key: String): Tensor =
        tensor(tensors(key, "inputs").getJSONObject(name))

    fun getOutputTensorFromSignature(name: String, key: String): Tensor =
        tensor(tensors(key, "outputs").getJSONObject(name))

    fun runSignature(
        inputs: Map<String, Any>,
        outputs: Map<String, Any>,
        key: String
    ) {
        check(key in signatureKeys)
        val given = inputs.getValue(inputs.keys.single()) as ByteBuffer
        asks.writeUTF(inputs.keys.single())
        asks.writeUTF(outputs.keys.single())
        val taken = outputs.getValue(outputs.keys.single()) as ByteBuffer
        taken.put(answer(bytes(given)))
    }

    override fun close() {
        asks.close()
        runtime.waitFor()
    }

    private fun tensors(key: String, side: String): JSONObject =
        signatures.getJSONObject(key).getJSONObject(side)

    private fun tensor(told: JSONObject): Tensor {
        val shape = told.getJSONArray("shape")
        val sides = IntArray(shape.length()) { shape.getInt(it) }
        return Tensor(told.getString("dtype"), sides)
    }

    private fun names(told: JSONObject): Array<String> =
        told.keys().asSequence().map { it.toString() }.toList().toTypedArray()

    private fun bytes(buffer: ByteBuffer): ByteArray {
        val all = buffer.duplicate()
        all.rewind()
        return ByteArray(all.limit()).also { all.get(it) }
    }

    private fun answer(question: ByteArray): ByteArray {
        asks.writeInt(question.size)
        asks.write(question)
        asks.flush()
        return ByteArray(answers.readInt()).also { answers.readFully(it) }
    }
}
