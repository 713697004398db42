package hashnet.hamming;

/** An image that is read a row at a time, such as an Android bitmap. */
public interface PixelRows {
    /**
     * Reads a row.
     *
     * @param y from 0 at the top
     * @param argb filled with the row's pixels, 0xAARRGGBB, from the left
     */
    void read(int y, int[] argb);
}
