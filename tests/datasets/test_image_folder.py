import numpy as np
import pytest
from PIL import Image

from evalsuite import plugins
from evalsuite.datasets.image_folder import ImageFolder
from evalsuite.errors import Failed, Unavailable

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Four colour images of height 6 and width 5, in two subfolders."""
    for i, name in enumerate(["cat/1.png", "cat/2.PNG", "dog/0.png", "dog/10.bmp"]):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(PIXELS[i]).save(path)
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / ".thumbnails").mkdir()
    Image.fromarray(PIXELS[0]).save(tmp_path / ".thumbnails" / "1.png")
    return tmp_path


def test_images_in_the_order_of_their_paths(folder):
    dataset = plugins.find("datasets", "image-folder")(path=folder)
    assert dataset.size() == 4
    np.testing.assert_array_equal(dataset.images(np.array([2, 0])), PIXELS[[2, 0]].transpose(0, 3, 1, 2))
    assert dataset.class_names() == ("cat", "dog")
    assert dataset.labels().tolist() == [0, 0, 1, 1]
    assert dataset.images(np.array([], np.int64)).shape == (0, 3, 6, 5)


def test_an_image_outside_the_subfolders_means_no_classes(folder):
    Image.fromarray(PIXELS[0]).save(folder / "other.png")
    assert ImageFolder(path=folder).class_names() == ()
    assert ImageFolder(path=folder).labels() is None


def test_the_fingerprint_is_that_of_content_and_names(folder, tmp_path_factory):
    before = ImageFolder(path=folder).fingerprint()
    moved = tmp_path_factory.mktemp("elsewhere") / "images"
    folder.rename(moved)
    assert ImageFolder(path=moved).fingerprint() == before
    (moved / "cat" / "1.png").rename(moved / "cat" / "3.png")
    renamed = ImageFolder(path=moved).fingerprint()
    Image.fromarray(PIXELS[3]).save(moved / "cat" / "3.png")
    assert len({before, renamed, ImageFolder(path=moved).fingerprint()}) == 3


def test_gray_images_have_one_channel(tmp_path):
    Image.fromarray(PIXELS[0, :, :, 0]).save(tmp_path / "a.png")
    np.testing.assert_array_equal(ImageFolder(path=tmp_path).images(np.array([0])), PIXELS[None, None, 0, :, :, 0])


def test_mixed_sizes_are_refused_by_name(folder):
    Image.fromarray(PIXELS[0, :4]).save(folder / "dog" / "5.png")
    with pytest.raises(Failed, match=r"1\.png has 3x6x5 .*, 5\.png has 3x4x5"):
        ImageFolder(path=folder).images(np.arange(5))


def test_no_folder_and_no_images_are_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="does not exist"):
        ImageFolder(path=tmp_path / "none").size()
    with pytest.raises(Unavailable, match="has no image"):
        ImageFolder(path=tmp_path).fingerprint()
