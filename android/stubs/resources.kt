package android.content.res

import android.util.DisplayMetrics
import java.io.File
import java.io.InputStream

/** Opens the files of a folder. */
class AssetManager(private val folder: File) {
    fun open(fileName: String): InputStream =
        File(folder, fileName).inputStream()
}

class Resources {
    val displayMetrics: DisplayMetrics
        get() = TODO("Android has it")
}
