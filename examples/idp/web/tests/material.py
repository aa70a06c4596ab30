"""Makes the parts of a walk out of a clip of one person: the first part as the camera, a still of the rest for the document.

material.py CLIP CAMERA.mjpeg STILL.jpg. The camera's part runs forward and back, so that nothing jumps where it starts again.
"""

import io
import pathlib
import sys

import av

SIDE = 640  # pixels, the longer side of the camera
CAMERA, STILL = 0.6, 0.8  # shares of the clip


def main() -> None:
    source, camera, still = map(pathlib.Path, sys.argv[1:])
    with av.open(str(source)) as clip:
        frames = [frame.to_image() for frame in clip.decode(video=0)]
    scale = SIDE / max(frames[0].size)
    size = tuple(round(side * scale) // 2 * 2 for side in frames[0].size)
    frames[round(len(frames) * STILL)].save(still, quality=95)
    files = []
    for frame in frames[: round(len(frames) * CAMERA)]:
        stream = io.BytesIO()
        frame.resize(size).save(stream, "JPEG", quality=93)
        files.append(stream.getvalue())
    camera.write_bytes(b"".join(files + files[-2:0:-1]))
    print(f"{camera.name}: {2 * len(files) - 2} frames of {source.name}")


if __name__ == "__main__":
    main()
