package android.content.res

import android.util.DisplayMetrics
import java.io.File
import java.io.InputStream

/** Opens the files of a folder. */
class AssetManager(private val folder: File) {
    fun open(fileName: String): InputStream =
        File(folder, fileName).inputStream()

    fun list(path: String): Array<String>? =
        File(folder, path).list() ?: emptyArray()
}

class Resources {
    val displayMetrics: DisplayMetrics
        get() = TODO("Android has it")
}
