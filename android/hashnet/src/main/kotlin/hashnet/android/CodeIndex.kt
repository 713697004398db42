package hashnet.android

import android.content.res.AssetManager
import hashnet.hamming.HammingSearch
import hashnet.hamming.PackedCodes
import java.io.IOException
import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject

/**
 * The codes of many pictures, searched by Hamming distance.
 *
 * Safe to share between threads.
 *
 * @property modelDigest digest of the network that made the codes
 */
class CodeIndex
private constructor(
    private val codes: PackedCodes,
    private val ids: List<String>,
    private val thumbnails: String?,
    val modelDigest: String
) {
    /** Length K of the codes. */
    val bits: Int
        get() = codes.bits()

    /** Number of codes. */
    val size: Int
        get() = codes.size()

    /**
     * Finds the nearest pictures, exactly.
     *
     * @param code packed, ceil(K / 8) bytes, as `HashNetEncoder.encode` gives
     * @param k at least 1; more than there are counts as all
     * @return the k nearest, at equal distance in the order of the code set
     * @throws IllegalArgumentException if `k` is below 1 or `code` has another
     *     length
     */
    fun search(code: ByteArray, k: Int): List<Match> {
        val found = HammingSearch.search(codes, code, k)
        return List(found.size()) { place ->
            val row = found.row(place)
            Match(ids[row], found.distance(place), row)
        }
    }

    /**
     * Tells which asset is the small JPEG of a picture.
     *
     * @param place of the picture, as `Match.place`
     * @return its name among the assets, or null if the code set came without
     */
    fun thumbnail(place: Int): String? = thumbnails?.let { "$it/$place.jpg" }

    companion object {
        private const val CODES = "codes.npy"
        private const val IDS = "ids.json"
        private const val MANIFEST = "manifest.json"
        private const val THUMBNAILS = "thumbnails"
        private const val BITS = "bits"
        private const val BIT_ORDER = "bit_order"
        private const val MODEL_DIGEST = "model_digest"
        private const val HIGHEST_FIRST = "big"
        private const val DECODER = "decoder"
        private const val TURNS = 2

        /**
         * Reads a code set, as `hashnet encode` writes it, from the assets.
         *
         * A folder `thumbnails` in it, as `hashnet export --web_thumbnails`
         * writes it, is taken with it.
         *
         * @param assets of the app's context
         * @param folder of the code set among them, such as "codes"
         * @throws IOException if it is not there, or damaged
         */
        fun load(assets: AssetManager, folder: String): CodeIndex {
            try {
                val manifest = JSONObject(text(assets, "$folder/$MANIFEST"))
                val order = manifest.getString(BIT_ORDER)
                if (order != HIGHEST_FIRST) {
                    throw IOException(
                        "A code set must have its first bit in the highest" +
                            " place. Received: $BIT_ORDER=$order"
                    )
                }
                // Of pixels it is null, and of version 0.1 not there.
                val decoder = manifest.opt(DECODER)
                if (decoder != JSONObject.NULL && decoder != TURNS) {
                    throw IOException(
                        "A code set must be of pictures that were turned as" +
                            " `decodePicture` turns them: encode it again." +
                            " Received: $DECODER=$decoder"
                    )
                }
                val codes =
                    assets.open("$folder/$CODES").use {
                        PackedCodes.read(it, manifest.getInt(BITS))
                    }
                val list = JSONArray(text(assets, "$folder/$IDS"))
                val ids = List(list.length()) { list.getString(it) }
                if (ids.size != codes.size()) {
                    throw IOException(
                        "A code set must have an id for each code." +
                            " Received: ${ids.size} ids of" +
                            " ${codes.size()} codes"
                    )
                }
                return CodeIndex(
                    codes,
                    ids,
                    thumbnails(assets, "$folder/$THUMBNAILS", ids.size),
                    manifest.getString(MODEL_DIGEST)
                )
            } catch (e: JSONException) {
                throw IOException(
                    "A code set must hold whole JSON. Received: ${e.message}",
                    e
                )
            } catch (e: IllegalArgumentException) {
                throw IOException("$folder: ${e.message}", e)
            }
        }

        private fun thumbnails(
            assets: AssetManager,
            folder: String,
            count: Int
        ): String? {
            val found = assets.list(folder).orEmpty().size
            if (found == 0) return null
            // Others would show other pictures, and say nothing.
            if (found != count) {
                throw IOException(
                    "There must be a thumbnail for each code." +
                        " Received: $found of $count codes"
                )
            }
            return folder
        }

        private fun text(assets: AssetManager, name: String): String =
            assets.open(name).use { it.readBytes().toString(Charsets.UTF_8) }
    }
}
