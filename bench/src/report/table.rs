//! Rows of words and numbers below each other, for people.

/// A table: its first column is words and stands to the left, all others are numbers and stand to the right.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these heads and no row.
    pub(crate) fn new(heads: &[&str]) -> Table {
        Table { rows: vec![heads.iter().map(|head| (*head).to_owned()).collect()] }
    }

    /// One row more.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// All of it, each row a line.
    pub(crate) fn text(&self) -> String {
        let wide = |cell: &String| cell.chars().count();
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(wide).max();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let blank = " ".repeat(width(column).unwrap_or_default() - wide(cell));
                line += &if column == 0 { format!("{cell}{blank}") } else { format!("  {blank}{cell}") };
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_to_the_left_and_numbers_to_the_right() {
        let mut table = Table::new(&["", "reads", "p99"]);
        table.row(["Trolley", "53,500", "85 µs"].map(str::to_owned));
        table.row(["a peer", "900", "3.1 ms"].map(str::to_owned));
        assert_eq!(
            table.text(),
            "          reads     p99\nTrolley  53,500   85 µs\na peer      900  3.1 ms\n"
        );
    }
}
