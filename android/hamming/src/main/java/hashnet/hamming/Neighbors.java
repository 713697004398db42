package hashnet.hamming;

/** What a search found, the nearest first. */
public final class Neighbors {
    private final int[] rows;
    private final int[] distances;

    Neighbors(int size) {
        rows = new int[size];
        distances = new int[size];
    }

    void set(int place, int row, int distance) {
        rows[place] = row;
        distances[place] = distance;
    }

    /** Returns how many were found. */
    public int size() {
        return rows.length;
    }

    /** Returns the row in the database of the {@code place}-th nearest. */
    public int row(int place) {
        return rows[place];
    }

    /** Returns in how many bits the {@code place}-th nearest differs. */
    public int distance(int place) {
        return distances[place];
    }
}
