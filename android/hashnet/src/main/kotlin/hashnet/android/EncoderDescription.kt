package hashnet.android

import hashnet.hamming.FileMetadata
import hashnet.hamming.Framing
import java.nio.ByteBuffer
import java.security.MessageDigest
import org.json.JSONException
import org.json.JSONObject

/** What a LiteRT file of `hashnet export` says of itself. */
internal class EncoderDescription
private constructor(val framing: Framing, val modelDigest: String) {
    companion object {
        private const val ENTRY = "hashnet.json"
        private const val FRAMING = "framing"
        private const val USUAL = "whole"
        private const val QUANTIZE = "quantize"
        private const val MODEL_DIGEST = "model_digest"

        /** Reads it from a file; one that tells nothing is refused. */
        fun of(model: ByteBuffer): EncoderDescription {
            val text =
                requireNotNull(FileMetadata.read(model, ENTRY)) {
                    "An encoder must hold metadata $ENTRY. Received: none"
                }
            try {
                val told = JSONObject(text)
                // A file that tells none is older than the choice.
                val framing = Framing.of(told.optString(FRAMING, USUAL))
                val digest =
                    if (told.isNull(QUANTIZE)) told.getString(MODEL_DIGEST)
                    // Each has bits of its own.
                    else digest(model)
                return EncoderDescription(framing, digest)
            } catch (e: JSONException) {
                throw IllegalArgumentException(
                    "An encoder must tell of itself in whole JSON." +
                        " Received: ${e.message}",
                    e
                )
            }
        }

        private fun digest(model: ByteBuffer): String {
            val bytes = model.duplicate()
            bytes.rewind()
            val hash = MessageDigest.getInstance("SHA-256")
            hash.update(bytes)
            return hash.digest().joinToString("") { "%02x".format(it) }
        }
    }
}
