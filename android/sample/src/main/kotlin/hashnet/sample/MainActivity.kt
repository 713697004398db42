package hashnet.sample

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.net.Uri
import android.os.Bundle
import android.widget.Button
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.TextView
import androidx.activity.ComponentActivity
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia
import hashnet.android.CodeIndex
import hashnet.android.HashNetEncoder
import hashnet.android.decodePicture
import java.io.IOException
import java.util.concurrent.Executors

/** Shows which pictures of the code set are nearest to one that is picked. */
class MainActivity : ComponentActivity() {
    // The encoder is opened, used and closed on this one thread.
    private val worker = Executors.newSingleThreadExecutor()
    private var encoder: HashNetEncoder? = null
    private var index: CodeIndex? = null
    private lateinit var picture: ImageView
    private lateinit var answer: TextView

    private val pick =
        registerForActivityResult(PickVisualMedia()) { uri ->
            if (uri != null) show(uri)
        }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        val button = Button(this)
        button.text = "Pick a picture"
        button.setOnClickListener {
            pick.launch(PickVisualMediaRequest(PickVisualMedia.ImageOnly))
        }
        picture = ImageView(this)
        picture.adjustViewBounds = true
        picture.maxHeight = resources.displayMetrics.heightPixels / 2
        answer = TextView(this)
        val column = LinearLayout(this)
        column.orientation = LinearLayout.VERTICAL
        column.fitsSystemWindows = true
        column.addView(button)
        column.addView(picture)
        column.addView(answer)
        setContentView(column)
    }

    private fun show(uri: Uri) {
        picture.setImageBitmap(null)
        answer.text = "Encoding"
        worker.execute {
            try {
                val bitmap = decodePicture(contentResolver, uri)
                val preview = preview(uri, bitmap.width)
                val text = nearest(bitmap)
                runOnUiThread {
                    picture.setImageBitmap(preview)
                    answer.text = text
                }
            } catch (e: IOException) {
                runOnUiThread { answer.text = e.message }
            } catch (e: IllegalArgumentException) {
                runOnUiThread { answer.text = e.message }
            }
        }
    }

    // Android draws no bitmap of 100 MB, which a camera's may be.
    private fun preview(uri: Uri, width: Int): Bitmap? {
        val options = BitmapFactory.Options()
        options.inSampleSize = maxOf(1, width / 1000)
        return contentResolver.openInputStream(uri)?.use {
            BitmapFactory.decodeStream(it, null, options)
        }
    }

    private fun nearest(bitmap: Bitmap): String {
        val encoder =
            encoder ?: HashNetEncoder.load(assets, "encoder.tflite")
        this.encoder = encoder
        val index = index ?: CodeIndex.load(assets, "codes")
        this.index = index
        require(encoder.bits == index.bits) {
            "The code set must be of the encoder's ${encoder.bits} bits." +
                " Received: ${index.bits} bits"
        }
        val code = encoder.encode(bitmap)
        return index.search(code, 10).joinToString("\n") {
            "${it.distance} bits: ${it.id}"
        }
    }

    override fun onDestroy() {
        worker.execute { encoder?.close() }
        worker.shutdown()
        super.onDestroy()
    }
}
