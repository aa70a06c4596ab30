"""Writes ground_truth.csv from the official WIDER FACE evaluation files, which hold the easy,
medium and hard settings.

    python datasets/tools/wider_ground_truth.py eval_tools/ground_truth > WIDER/ground_truth.csv

Needs scipy and wider_face_val.mat, wider_easy_val.mat, wider_medium_val.mat, wider_hard_val.mat in
that folder.
"""

import csv
import pathlib
import sys

from scipy.io import loadmat


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    base = loadmat(folder / "wider_face_val.mat")
    settings = {
        name: loadmat(folder / f"wider_{name}_val.mat")["gt_list"]
        for name in ("easy", "medium", "hard")
    }
    out = csv.writer(sys.stdout)
    out.writerow(["image", "x", "y", "width", "height", *settings])
    for e, event in enumerate(base["event_list"][:, 0]):
        for f, file in enumerate(base["file_list"][e, 0][:, 0]):
            counted = {
                name: set(lists[e, 0][f, 0].ravel().tolist()) for name, lists in settings.items()
            }
            for number, box in enumerate(base["face_bbx_list"][e, 0][f, 0], start=1):
                flags = [int(number in counted[name]) for name in settings]
                out.writerow([f"{event[0]}/{file[0]}.jpg", *(int(v) for v in box), *flags])


if __name__ == "__main__":
    main()
