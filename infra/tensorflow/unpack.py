"""Takes out of a TensorFlow wheel what an addon is built against.

    python unpack.py WHEEL.whl FOLDER

FOLDER/lib gets the C library, FOLDER/include the headers that it is used with, FOLDER/LICENSES what the wheel says of its
licences.
"""
import pathlib
import shutil
import sys
import zipfile

LIBRARIES = ('libtensorflow', 'libtensorflow_framework')
HEADERS = ('tensorflow/c/', 'tensorflow/core/platform/', 'tensorflow/tsl/', 'tsl/', 'xla/tsl/')
INCLUDE = 'tensorflow/include/'


def target(name: str) -> str | None:
    """Where a file of the wheel goes, None for those that nobody needs."""
    if name.startswith('tensorflow/libtensorflow_'):
        return 'lib/' + name.removeprefix('tensorflow/')
    if name.startswith(INCLUDE) and name.removeprefix(INCLUDE).startswith(HEADERS):
        return 'include/' + name.removeprefix(INCLUDE)
    if '.dist-info/' in name and 'LICENSE' in name.upper():
        return 'LICENSES/' + pathlib.PurePosixPath(name).name
    return None


def main() -> None:
    wheel, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            found = None if name.endswith('/') else target(name)
            if found is None:
                continue
            path = folder / found
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, open(path, 'wb') as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
    for library in LIBRARIES:
        [versioned] = [
            path
            for path in (folder / 'lib').glob('*.so.2')
            if path.name in (f'{library}.so.2', f'{library}_cc.so.2')
        ]
        (folder / 'lib' / f'{library}.so').symlink_to(versioned.name)


if __name__ == '__main__':
    main()
