//! What a cell's influence amounts to, and its shares.

/// How much lies in a cell's square, in that square grown by one cell on each side, and in the whole image.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CellInfluence {
    /// In the cell's own square.
    pub own: f64,
    /// In it and the squares of its neighbours, up to eight.
    pub grown: f64,
    /// In the whole image.
    pub all: f64,
}

impl CellInfluence {
    /// Own and grown as shares of all, in [0, 1]; `None` where nothing has an influence.
    pub fn shares(&self) -> Option<Shares> {
        (self.all > 0.0).then(|| Shares {
            own: self.own / self.all,
            grown: self.grown / self.all,
        })
    }
}

/// Shares of a cell's influence, in [0, 1].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// Inside the cell's own square.
    pub own: f64,
    /// Inside it and the squares of its neighbours.
    pub grown: f64,
}

impl Shares {
    /// The mean of some; `None` of none.
    fn mean(all: impl Iterator<Item = Self>) -> Option<Self> {
        let (mut sum, mut count) = (Self::default(), 0);
        for one in all {
            sum.own += one.own;
            sum.grown += one.grown;
            count += 1;
        }
        (count > 0).then(|| Self {
            own: sum.own / f64::from(count),
            grown: sum.grown / f64::from(count),
        })
    }
}

/// The locality of some cells of a layer on some images.
#[derive(Debug, Clone, PartialEq)]
pub struct Locality {
    /// The cells, row and column.
    pub cells: Vec<[usize; 2]>,
    /// Of each cell, in pixels: what a cell's shares are where every pixel has the same influence.
    pub areas: Vec<CellInfluence>,
    /// `[images, cells]`.
    pub influences: Vec<CellInfluence>,
}

impl Locality {
    /// Of each cell the mean over the images, of which each counts the same; `None` where no pixel of any image has an influence, as on a
    /// cell without value.
    pub fn by_cell(&self) -> Vec<Option<Shares>> {
        let cells = self.cells.len();
        let of = |cell: usize| self.influences.iter().skip(cell).step_by(cells.max(1));
        (0..cells)
            .map(|cell| Shares::mean(of(cell).filter_map(CellInfluence::shares)))
            .collect()
    }

    /// The mean over images and cells; `None` where no pixel has an influence on any.
    pub fn mean(&self) -> Option<Shares> {
        Shares::mean(self.by_cell().into_iter().flatten())
    }

    /// The shares of the image's area, the mean over the cells that have an influence in [`mean`](Self::mean): chance.
    pub fn chance(&self) -> Option<Shares> {
        let counted = self.by_cell().into_iter().zip(&self.areas);
        Shares::mean(counted.filter_map(|(shares, area)| shares.and(area.shares())))
    }
}
