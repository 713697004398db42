import hashnet.hamming.Bits;
import hashnet.hamming.FileMetadata;
import hashnet.hamming.Framing;
import hashnet.hamming.HammingSearch;
import hashnet.hamming.Neighbors;
import hashnet.hamming.Orientation;
import hashnet.hamming.PackedCodes;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

/**
 * Does what it reads from standard input, a job a line, words between tabs.
 * Answers each with a line: done, or the exception.
 */
final class Jobs {
    private Jobs() {}

    public static void main(String[] args) throws IOException {
        BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(
                                System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            String answer = "done";
            try {
                run(line.split("\t"));
            } catch (IOException | RuntimeException e) {
                answer = e.getClass().getSimpleName() + ": " + e.getMessage();
            }
            System.out.println(answer);
            System.out.flush();
        }
    }

    private static void run(String[] words) throws IOException {
        switch (words[0]) {
            case "unpack":
                unpack(words[1], number(words[2]), words[3]);
                return;
            case "search":
                search(
                        words[1],
                        words[2],
                        number(words[3]),
                        number(words[4]),
                        words[5]);
                return;
            case "frame":
                frame(
                        words[1],
                        number(words[2]),
                        number(words[3]),
                        number(words[4]),
                        number(words[5]),
                        words[6],
                        words[7]);
                return;
            case "metadata":
                metadata(words[1], words[2], words[3]);
                return;
            case "turn":
                turn(words[1], words[2], number(words[3]), number(words[4]),
                        words[5]);
                return;
            default:
                throw new IllegalArgumentException("No job: " + words[0]);
        }
    }

    /** Writes the signs of each code, a byte a bit. */
    private static void unpack(String codes, int bits, String out)
            throws IOException {
        PackedCodes packed = read(codes, bits);
        ByteArrayOutputStream signs = new ByteArrayOutputStream();
        for (int row = 0; row < packed.size(); row++) {
            signs.write(Bits.unpack(packed.code(row), packed.bits()));
        }
        Files.write(Paths.get(out), signs.toByteArray());
    }

    /** Writes of each query's neighbours the distance and the row. */
    private static void search(
            String database, String queries, int bits, int k, String out)
            throws IOException {
        PackedCodes items = read(database, bits);
        // The queries' width is for the search to judge.
        byte[][] codes = rows(queries);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream found = new DataOutputStream(bytes);
        for (byte[] code : codes) {
            Neighbors near = HammingSearch.search(items, code, k);
            for (int place = 0; place < near.size(); place++) {
                found.writeInt(near.distance(place));
                found.writeInt(near.row(place));
            }
        }
        Files.write(Paths.get(out), bytes.toByteArray());
    }

    private static void frame(
            String rgb, int height, int width, int newHeight, int newWidth,
            String framing, String out)
            throws IOException {
        byte[] bytes = Files.readAllBytes(Paths.get(rgb));
        byte[] framed =
                Framing.of(framing).frame(
                        (y, argb) -> {
                            for (int x = 0; x < width; x++) {
                                int at = 3 * (y * width + x);
                                // Alpha, which must not count, is the row's.
                                argb[x] =
                                        (y & 0xff) << 24
                                                | (bytes[at] & 0xff) << 16
                                                | (bytes[at + 1] & 0xff) << 8
                                                | bytes[at + 2] & 0xff;
                            }
                        },
                        height,
                        width,
                        newHeight,
                        newWidth);
        Files.write(Paths.get(out), framed);
    }

    /** Writes the text of an entry; of none, nothing. */
    private static void metadata(String file, String name, String out)
            throws IOException {
        byte[] bytes = Files.readAllBytes(Paths.get(file));
        String text = FileMetadata.read(ByteBuffer.wrap(bytes), name);
        if (text != null) {
            Files.write(Paths.get(out), text.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Writes the pixels of an image turned as a file says. */
    private static void turn(
            String file, String rgb, int height, int width, String out)
            throws IOException {
        int orientation = Orientation.of(Files.readAllBytes(Paths.get(file)));
        byte[] bytes = Files.readAllBytes(Paths.get(rgb));
        boolean swapped = Orientation.swapsSides(orientation);
        int across = swapped ? height : width;
        int down = swapped ? width : height;
        int[] row = new int[across];
        ByteArrayOutputStream pixels = new ByteArrayOutputStream();
        pixels.write(orientation);
        for (int y = 0; y < down; y++) {
            Orientation.readRow(
                    (left, top, wide, high, argb) -> {
                        for (int i = 0; i < wide * high; i++) {
                            int at = top + i / wide;
                            int from = 3 * (at * width + left + i % wide);
                            argb[i] = (bytes[from] & 0xff) << 16
                                    | (bytes[from + 1] & 0xff) << 8
                                    | bytes[from + 2] & 0xff;
                        }
                    },
                    down, across, orientation, y, row);
            for (int pixel : row) {
                pixels.write(pixel >> 16);
                pixels.write(pixel >> 8);
                pixels.write(pixel);
            }
        }
        Files.write(Paths.get(out), pixels.toByteArray());
    }

    private static PackedCodes read(String path, int bits)
            throws IOException {
        try (InputStream stream = new FileInputStream(path)) {
            return PackedCodes.read(stream, bits);
        }
    }

    /** The lines of a text file, each a code in hexadecimal digits. */
    private static byte[][] rows(String path) throws IOException {
        Path text = Paths.get(path);
        return Files.readAllLines(text, StandardCharsets.UTF_8).stream()
                .map(Jobs::bytes)
                .toArray(byte[][]::new);
    }

    private static byte[] bytes(String hex) {
        byte[] bytes = new byte[hex.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] =
                    (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }

    private static int number(String word) {
        return Integer.parseInt(word);
    }
}
