import android.content.ContentResolver
import android.content.res.AssetManager
import android.net.Uri
import hashnet.android.CodeIndex
import hashnet.android.HashNetEncoder
import hashnet.android.decodePicture
import java.io.DataOutputStream
import java.io.File
import java.io.IOException

/**
 * Does what it reads from standard input, a job a line, words between tabs.
 * Answers each with a line: done, or the exception.
 */
fun main() {
    for (line in generateSequence(::readLine)) {
        val answer =
            try {
                run(line.split("\t"))
                "done"
            } catch (e: IOException) {
                "IOException: ${e.message}"
            } catch (e: IllegalArgumentException) {
                "IllegalArgumentException: ${e.message}"
            }
        println(answer.replace("\n", " "))
    }
}

private fun run(words: List<String>) {
    when (words[0]) {
        "search" -> search(words[1], words[2], words[3].toInt(), words[4])
        "encode" -> encode(File(words[1]), words.drop(3), File(words[2]))
        "decode" -> decode(words[1], words[2])
        else -> throw IllegalArgumentException("No job: ${words[0]}")
    }
}

/** Writes of each query, in hexadecimal digits, distances and names. */
private fun search(folder: String, queries: String, k: Int, out: String) {
    val set = File(folder)
    val index = CodeIndex.load(AssetManager(set.parentFile), set.name)
    val lines =
        File(queries).readLines().map { line ->
            val code = line.chunked(2).map { it.toInt(16).toByte() }
            index.search(code.toByteArray(), k).joinToString("\t") {
                "${it.distance} ${it.id} ${index.thumbnail(it.place)}"
            }
        }
    val told = "${index.size} ${index.bits} ${index.modelDigest}"
    File(out).writeText((listOf(told) + lines).joinToString("\n"))
}

/** Writes what the encoder is, and of each picture the pixels and the code. */
private fun encode(model: File, pictures: List<String>, out: File) {
    val assets = AssetManager(model.parentFile)
    HashNetEncoder.load(assets, model.name).use { encoder ->
        DataOutputStream(out.outputStream().buffered()).use {
            val size = "${encoder.height} ${encoder.width}"
            it.writeUTF("$size ${encoder.framing} ${encoder.modelDigest}")
            for (name in pictures) {
                val picture = decodePicture(ContentResolver(), Uri(name))
                it.write(encoder.frame(picture))
                it.write(encoder.encode(picture))
            }
        }
    }
}

/** Writes height, width and the pixels, three bytes each. */
private fun decode(file: String, out: String) {
    val picture = decodePicture(ContentResolver(), Uri(file))
    val width = picture.width
    val row = IntArray(width)
    DataOutputStream(File(out).outputStream().buffered()).use {
        it.writeInt(picture.height)
        it.writeInt(width)
        for (y in 0 until picture.height) {
            picture.getPixels(row, 0, width, 0, y, width, 1)
            for (argb in row) {
                it.write(argb shr 16)
                it.write(argb shr 8)
                it.write(argb)
            }
        }
    }
}
