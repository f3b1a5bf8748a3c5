# Tables as pandas and pyarrow write them, into a folder: python3 export.py FOLDER
# Made with pandas 3.1.1, pyarrow 26.0.1 and Pillow 13.0.0.
#
# labels.parquet: booleans, a float column with a gap, small and nullable integers, a category, a list; row groups of two rows.
# pictures.parquet: pictures as plain bytes in a column of their own.
# paths.parquet: a column of `bytes` and `path` as the library `datasets` writes images that stay in their files: without bytes.
import io
import pathlib
import sys

import pandas as pd
import pyarrow
import pyarrow.parquet
from PIL import Image

folder = pathlib.Path(sys.argv[1])

table = pd.DataFrame({
    'image': ['a.png', 'sub/b.jpg', 'c'],
    'crack': [True, False, False],
    'wet': [0.0, None, 1.0],
    'tiny': pd.Series([-1, 1, 1], dtype='int8'),
    'nullable': pd.Series([1, None, 0], dtype='Int64'),
    'kind': pd.Series(['false', 'true', 'true'], dtype='category'),
    'age': [30, 31, 32],
    'list': [[1], [1, 0], []],
})
table.to_parquet(folder / 'labels.parquet', row_group_size=2)


def png(index):
    file = io.BytesIO()
    Image.new('RGB', (12, 12), (20 * index, 10, 200 - 20 * index)).save(file, 'PNG')
    return file.getvalue()


splits = ['train', 'train', 'train', 'validation', 'test', 'test']
labels = pd.DataFrame({
    'image': [png(index) for index in range(6)],
    'a': [0, 1, 0, 1, 0, 1],
    'b': [0, 0, 1, 1, 1, 0],
    'split': splits,
})
labels.to_parquet(folder / 'pictures.parquet')

rows = pyarrow.table({
    'image': pyarrow.array([{'bytes': None, 'path': name} for name in ['a.png', 'sub/b.jpg', 'c.png']]),
    'crack': [1, 0, 0],
    'split': ['train', 'validation', 'test'],
}, schema=pyarrow.schema([
    ('image', pyarrow.struct([('bytes', pyarrow.binary()), ('path', pyarrow.string())])),
    ('crack', pyarrow.int64()),
    ('split', pyarrow.string()),
]))
pyarrow.parquet.write_table(rows, folder / 'paths.parquet')
