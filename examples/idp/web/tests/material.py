"""Makes the parts of a walk out of a clip of one person: the first part as the camera, a still of
the rest for the document.

material.py CLIP OUT writes OUT.jpg, the still, and two takes of the camera, OUT-1.mjpeg and
OUT-2.mjpeg, encoded differently, as the service takes no picture twice. They run forward and back,
so that nothing jumps where they start again.
"""

import io
import pathlib
import sys

import av

SIDE = 640  # pixels, the longer side of the camera
CAMERA, STILL = 0.6, 0.8  # shares of the clip


def main() -> None:
    source, out = map(pathlib.Path, sys.argv[1:])
    with av.open(str(source)) as clip:
        frames = [frame.to_image() for frame in clip.decode(video=0)]
    scale = SIDE / max(frames[0].size)
    size = tuple(round(side * scale) // 2 * 2 for side in frames[0].size)
    frames[round(len(frames) * STILL)].save(f"{out}.jpg", quality=95)
    for take, quality in ((1, 93), (2, 90)):
        files = []
        for frame in frames[: round(len(frames) * CAMERA)]:
            stream = io.BytesIO()
            frame.resize(size).save(stream, "JPEG", quality=quality)
            files.append(stream.getvalue())
        pathlib.Path(f"{out}-{take}.mjpeg").write_bytes(b"".join(files + files[-2:0:-1]))
    print(f"{out.name}: 2 takes of {2 * len(files) - 2} frames")


if __name__ == "__main__":
    main()
