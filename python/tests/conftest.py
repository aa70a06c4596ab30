import pathlib

import pytest
import vultus

PHOTOS = pathlib.Path(__file__).parents[2] / "build" / "photos"


@pytest.fixture(scope="session")
def photos():
    assert PHOTOS.is_dir(), "run `make photos` first"
    return PHOTOS


@pytest.fixture(scope="session")
def engine():
    return vultus.Engine()


@pytest.fixture(scope="session")
def selfie(photos):
    return photos / "obama2.jpg"


@pytest.fixture(scope="session")
def card(photos):
    return photos / "specimen-obama.png"
