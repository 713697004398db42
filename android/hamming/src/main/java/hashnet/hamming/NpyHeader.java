package hashnet.hamming;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The header of a numpy file that holds packed codes: format 1.0, uint8, two
 * dimensions, row after row. What numpy can write besides is refused.
 */
final class NpyHeader {
    private static final String MAGIC = "\u0093NUMPY\u0001\u0000";
    private static final Pattern CODES =
            Pattern.compile(
                    "\\{'descr': '\\|u1', 'fortran_order': False,"
                            + " 'shape': \\((\\d{1,10}), (\\d{1,10})\\), \\}"
                            + " *\n");

    /** Number of codes. */
    final long rows;

    /** Bytes of a code. */
    final long width;

    private NpyHeader(long rows, long width) {
        this.rows = rows;
        this.width = width;
    }

    /** Reads the header and leaves the stream at the first code. */
    static NpyHeader read(InputStream stream) throws IOException {
        DataInputStream data = new DataInputStream(stream);
        try {
            String magic = latin1(data, MAGIC.length());
            if (!magic.equals(MAGIC)) {
                throw new IOException(
                        "A code file must be a numpy file of format 1.0."
                                + " Received: first bytes " + hex(magic));
            }
            String length = latin1(data, 2);
            // The lower byte first.
            String header =
                    latin1(data, length.charAt(0) + 256 * length.charAt(1));
            Matcher found = CODES.matcher(header);
            if (!found.matches()) {
                throw new IOException(
                        "A code file must hold uint8 of shape (codes, bytes)"
                                + " in C order. Received: "
                                + header.trim());
            }
            return new NpyHeader(
                    Long.parseLong(found.group(1)),
                    Long.parseLong(found.group(2)));
        } catch (EOFException e) {
            throw new IOException(
                    "A code file must begin with a whole numpy header."
                            + " Received: a file that ends within it",
                    e);
        }
    }

    private static String latin1(DataInputStream data, int length)
            throws IOException {
        byte[] bytes = new byte[length];
        data.readFully(bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static String hex(String latin1) {
        StringBuilder text = new StringBuilder();
        for (char c : latin1.toCharArray()) {
            text.append(String.format("%02x", (int) c));
        }
        return text.toString();
    }
}
