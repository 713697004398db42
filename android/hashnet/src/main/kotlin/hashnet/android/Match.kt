package hashnet.android

/**
 * A picture that a search found.
 *
 * @property id its name in the code set
 * @property distance in how many bits its code differs
 * @property place its row in the code set
 */
data class Match(val id: String, val distance: Int, val place: Int)
