package hashnet.sample

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.drawable.BitmapDrawable
import android.graphics.drawable.Drawable
import android.net.Uri
import android.os.Bundle
import android.util.DisplayMetrics
import android.widget.Button
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.ListView
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
    private lateinit var hits: ListView

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
        picture.maxHeight = resources.displayMetrics.heightPixels / 3
        answer = TextView(this)
        hits = ListView(this)
        val column = LinearLayout(this)
        column.orientation = LinearLayout.VERTICAL
        column.fitsSystemWindows = true
        column.addView(button)
        column.addView(picture)
        column.addView(answer)
        column.addView(hits)
        setContentView(column)
    }

    private fun show(uri: Uri) {
        picture.setImageBitmap(null)
        hits.adapter = null
        answer.text = "Encoding"
        worker.execute {
            try {
                val bitmap = decodePicture(contentResolver, uri)
                val preview = preview(uri, bitmap.width)
                val nearest = nearest(bitmap)
                runOnUiThread {
                    picture.setImageBitmap(preview)
                    answer.text = "The nearest:"
                    hits.adapter = HitAdapter(this, nearest)
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

    private fun nearest(bitmap: Bitmap): List<Hit> {
        val encoder =
            encoder ?: HashNetEncoder.load(assets, "encoder.tflite")
        this.encoder = encoder
        val index = index ?: CodeIndex.load(assets, "codes")
        this.index = index
        require(encoder.modelDigest == index.modelDigest) {
            "The code set must be of this encoder, ${encoder.modelDigest}." +
                " Received: one of ${index.modelDigest}"
        }
        return index.search(encoder.encode(bitmap), 10).map { match ->
            Hit(match, index.thumbnail(match.place)?.let(::thumbnail))
        }
    }

    private fun thumbnail(name: String): Drawable {
        val small =
            assets.open(name).use { BitmapFactory.decodeStream(it) }
                ?: throw IOException("It must be a picture. Received: $name")
        // As large on a screen of many pixels as on others.
        small.density = DisplayMetrics.DENSITY_DEFAULT
        return BitmapDrawable(resources, small)
    }

    override fun onDestroy() {
        worker.execute { encoder?.close() }
        worker.shutdown()
        super.onDestroy()
    }
}
