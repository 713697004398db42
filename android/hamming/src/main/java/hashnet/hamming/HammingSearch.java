package hashnet.hamming;

/** The nearest codes, exactly. */
public final class HammingSearch {
    private HammingSearch() {}

    /**
     * Finds the k codes nearest to one by Hamming distance.
     *
     * <p>Every code is compared. Distances are small integers, so that they
     * are counted rather than sorted; they are computed twice, which costs
     * less than to keep one for each code.
     *
     * @param codes the database
     * @param query packed code, ceil(K / 8) bytes
     * @param k at least 1; more than the database holds counts as all of it
     * @return min(k, n) neighbours, the nearest first, at equal distance by
     *     rising row
     * @throws IllegalArgumentException if {@code k} is below 1 or {@code
     *     query} is no code of the database's length
     */
    public static Neighbors search(PackedCodes codes, byte[] query, int k) {
        if (k < 1) {
            throw new IllegalArgumentException(
                    "`k` must be positive. Received: k=" + k);
        }
        Bits.check(query, codes.bits());
        long[] words = new long[Words.count(query.length)];
        Words.put(query, 0, query.length, words, 0);

        // Where in the order of all codes those at a distance begin.
        int[] place = new int[codes.bits() + 2];
        for (int row = 0; row < codes.size(); row++) {
            place[codes.distance(row, words) + 1]++;
        }
        for (int distance = 1; distance < place.length; distance++) {
            place[distance] += place[distance - 1];
        }
        Neighbors found = new Neighbors(Math.min(k, codes.size()));
        for (int row = 0, left = found.size(); left > 0; row++) {
            int distance = codes.distance(row, words);
            if (place[distance] < found.size()) {
                found.set(place[distance]++, row, distance);
                left--;
            }
        }
        return found;
    }
}
