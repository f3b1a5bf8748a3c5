# A table as pandas writes it: booleans, a float column with a gap, small and nullable integers, a category, a list; row
# groups of two rows. Made with pandas 3.1.1 and pyarrow 26.0.1: python3 export.py labels.parquet
import sys
import pandas as pd

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
table.to_parquet(sys.argv[1], row_group_size=2)
