package hashnet.hamming;

/** Codes as 64-bit words, which are compared at once. */
final class Words {
    private Words() {}

    /** How many words hold {@code width} bytes. */
    static int count(int width) {
        return (width - 1) / 8 + 1;
    }

    /** Writes a code into {@code words} from {@code at}, zeros behind it. */
    static void put(byte[] code, int from, int width, long[] words, int at) {
        for (int i = 0; i < width; i++) {
            words[at + i / 8] |= (code[from + i] & 0xffL) << (8 * (i % 8));
        }
    }
}
