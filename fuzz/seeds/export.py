# First inputs of the targets jpeg, pictures and archive, as other programs write them, into a folder: python3 export.py FOLDER
# Made with Pillow 13.0.0.
import io
import pathlib
import sys
import zipfile

from PIL import Image

folder = pathlib.Path(sys.argv[1])


def into(target, name):
    path = folder / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


colours = Image.new('RGB', (24, 18))
colours.putdata([(9 * x, 13 * y, x * y % 256) for y in range(18) for x in range(24)])
grey = colours.convert('L')
shape = grey.point(lambda value: 255 * (value > 100))
glass = colours.copy()
glass.putalpha(shape)

turned = Image.Exif()
turned[0x112] = 6
for name, picture, options in [
    ('baseline', colours, {}),
    ('whole_colours', colours, {'subsampling': 0, 'quality': 95}),
    ('progressive', colours, {'progressive': True}),
    ('restarts', colours, {'restart_marker_blocks': 1}),
    ('optimised', colours, {'optimize': True, 'quality': 20}),
    ('turned', colours, {'exif': turned}),
    ('grey', grey, {}),
    ('cmyk', colours.convert('CMYK'), {}),
]:
    picture.save(into('jpeg', f'{name}.jpg'), 'JPEG', **options)

palette = colours.quantize(5)
for name, picture, options in [
    ('colours.png', colours, {}),
    ('turned.png', colours, {'exif': turned}),
    ('glass.png', glass, {}),
    ('grey.png', grey, {}),
    ('deep.png', grey.convert('I;16'), {}),
    ('bits.png', shape.convert('1'), {}),
    ('palette.png', palette, {'bits': 4}),
    ('palette_glass.png', palette, {'transparency': 1}),
    ('mask_palette.png', shape.convert('1').convert('P'), {}),
    ('palette.gif', palette, {}),
    ('film.gif', palette, {'save_all': True, 'append_images': [palette.rotate(180)], 'transparency': 0}),
    ('lossy.webp', colours, {}),
    ('lossless.webp', colours, {'lossless': True}),
    ('glass.webp', glass, {}),
    ('film.webp', colours, {'save_all': True, 'append_images': [colours.rotate(180)]}),
    ('colours.bmp', colours.resize((8, 6)), {}),
    ('palette.bmp', palette.resize((8, 6)), {}),
    ('bits.bmp', shape.convert('1'), {}),
]:
    picture.save(into('pictures', name), **options)


def face(index):
    file = io.BytesIO()
    Image.new('RGB', (178, 218), (20 * index, 10, 200)).save(file, 'PNG')
    return file.getvalue()


class Pipe(io.BytesIO):
    """Written once and in order: sizes then follow the contents."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise io.UnsupportedOperation

    tell = seek


for name, method, streamed in [
    ('stored.zip', zipfile.ZIP_STORED, False),
    ('deflated.zip', zipfile.ZIP_DEFLATED, False),
    ('streamed.zip', zipfile.ZIP_DEFLATED, True),
]:
    file = Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(file, 'w', method) as archive:
        for index, image in enumerate(['000001.jpg', '000002.jpg', '000003.png'], 1):
            entry = zipfile.ZipInfo(f'img_align_celeba/{image}')
            entry.compress_type = method
            with archive.open(entry, 'w', force_zip64=name == 'stored.zip') as into_archive:
                into_archive.write(face(index))
    into('archive', name).write_bytes(file.getvalue())
