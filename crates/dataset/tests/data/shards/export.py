# The hub's schema as its own library writes it; three small faces per split, once as current versions of the library
# write images (plain) and once as those before 2025 did (Snappy, dictionary, row groups of a fixed number of rows).
import io, json, numpy as np, sys
from PIL import Image
import datasets, pyarrow as pa, pyarrow.parquet as pq
out=sys.argv[1]
def jpeg(i):
    a=np.zeros((218,178,3),'u1'); y,x=np.mgrid[0:218,0:178]
    a[...,0]=10*i; a[...,1]=x; a[...,2]=y
    b=io.BytesIO(); Image.fromarray(a).save(b,'PNG' if i%2 else 'JPEG',quality=90); return b.getvalue()
features=datasets.Features({'image':datasets.Image(),'celeb_id':datasets.Value('int64'),'Smiling':datasets.Value('bool'),'Young':datasets.Value('bool')})
def table(rows):
    t=pa.Table.from_pylist([{'image':{'bytes':jpeg(i),'path':f'{i:06d}.'+('png' if i%2 else 'jpg')},'celeb_id':100+i,'Smiling':i%2==0,'Young':i%3==0} for i in rows],schema=features.arrow_schema)
    return t
import os
for kind in ['plain','snappy']:
    os.makedirs(f'{out}/{kind}',exist_ok=True)
    for split,rows in [('train',range(1,6)),('valid',range(6,8)),('test',range(8,10))]:
        t=table(rows); p=f'{out}/{kind}/{split}-00000-of-00001.parquet'
        if kind=='plain':
            datasets.Dataset(t,fingerprint='x').to_parquet(p)
        else:
            pq.write_table(t,p,compression='snappy',row_group_size=3,use_dictionary=True,dictionary_pagesize_limit=20000)
        m=pq.ParquetFile(p).metadata
        print(p,os.path.getsize(p),[(m.row_group(g).column(0).compression,m.row_group(g).column(0).encodings) for g in range(m.num_row_groups)])
