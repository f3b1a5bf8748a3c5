//! Tables as text: labels of images, boxes, and scores.
#![no_main]

use dataset::TableSplit;
use fuzz::{begin, on_file, open_table, read_scores};
use libfuzzer_sys::fuzz_target;
use pipeline::ReadTable;
use runner::commands::audit;

const FIRST: [&str; 6] = [
    "image,crack,wet,split,plant\na.png,1,0,train,fern\nsub/b.jpg,0,,val,2\nc,0,1,test,fern\n",
    "image;A;B\r\n1.jpg;0,5;-0,5\r\n2.jpg;-1;2\r\n3.jpg;-1;2\r\n",
    "image\tA\tB\n\"1.jpg\"\tyes\tno\n2.jpg\tno\tyes\n3.jpg\t\tyes\n",
    "image,attribute,x,y,width,height\na.png,crack,1,2,3,4\nb.png,wet,0,0,10.5,12\n",
    "1.jpg,0.5,-0.5\n2.jpg,1e3,2\n3.jpg,0.25,1\n",
    "attribute,unbalanced_fnr,unbalanced_fpr,balanced_fnr,balanced_fpr,positives,negatives\nA,0.25,0.5,0.125,0.5,8,4\nB,0.5,0,1,0.75,4,8\n",
];
const LABELS: &str = "image,crack,wet\na.png,1,0\nb.png,0,1\n";

fuzz_target!(init: begin(|| FIRST.map(Vec::from).to_vec()), |bytes: &[u8]| {
    open_table("labels.csv", bytes, |config| {
        config.split = TableSplit::Column("split".to_owned());
        config.group_column = Some("plant".to_owned());
    });
    open_table("labels.csv", bytes, |_| ());
    open_table("labels.csv", LABELS.as_bytes(), |config| {
        let boxes = config.file.with_file_name("boxes.csv");
        std::fs::write(&boxes, bytes).expect("written");
        config.boxes = Some(boxes);
    });
    read_scores("scores.csv", bytes);
    on_file("table.csv", bytes, |path| {
        if let Ok(table) = ReadTable::csv(path) {
            for name in table.columns() {
                let (texts, numbers) = (table.texts(name), table.doubles(name));
                assert!(texts.map_or(true, |texts| texts.len() == table.height()));
                assert!(numbers.map_or(true, |numbers| numbers.len() == table.height()));
            }
        }
    });
    let _ = on_file("rates.csv", bytes, |path| {
        audit::run(&audit::Arguments {
            file: Some(path.to_owned()),
            published: false,
            scores: Vec::new(),
            labels: None,
            threshold: None,
            images: None,
            classifiers: None,
            counts: None,
            regions: None,
            output: None,
        })
    });
});
