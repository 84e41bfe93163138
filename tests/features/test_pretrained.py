"""DINOv2 and CLIP with small random networks in the layout of the public folders, against the library's own steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import transformers

from evalsuite import plugins
from evalsuite.errors import Failed, Unavailable

CLIPS = ("clip-vit-b-32", "clip-vit-l-14", "clip-vit-l-14-336")
DINOS = ("dinov2-small", "dinov2-base", "dinov2-large")
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (3, 3, 60, 91), np.uint8)
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVALSUITE_WEIGHTS", str(tmp_path))
    return tmp_path


def save_dinov2(folder: Path) -> None:
    import torch

    torch.manual_seed(0)
    config = transformers.Dinov2Config(**SMALL, mlp_ratio=2, image_size=224, patch_size=56)
    transformers.Dinov2Model(config).save_pretrained(folder)


def save_clip(folder: Path, side: int) -> None:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    torch.manual_seed(0)
    words = ["<|startoftext|>", "<|endoftext|>", "a", "dog", "red", "cat"]
    vocabulary = {word: i for i, word in enumerate(words)}
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = transformers.CLIPConfig(
        text_config={**SMALL, **ends, "vocab_size": len(words), "max_position_embeddings": 8, "projection_dim": 12},
        vision_config={**SMALL, "image_size": side, "patch_size": side // 4, "projection_dim": 12},
        projection_dim=12,
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<|endoftext|>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = TemplateProcessing(
        single="<|startoftext|> $A <|endoftext|>", special_tokens=[("<|startoftext|>", 0), ("<|endoftext|>", 1)]
    )
    made.save(str(folder / "tokenizer.json"))


def features(name: str, images=IMAGES) -> np.ndarray:
    with plugins.make("features", name).open() as extractor:
        found, logits = extractor.extract(images)
    assert logits is None
    assert found.dtype == np.float32
    return found


def test_dinov2_is_the_class_token_of_the_squeezed_image(weights: Path) -> None:
    import torch
    from PIL import Image

    save_dinov2(weights / "dinov2-small")
    squeezed = [np.array(Image.fromarray(i.transpose(1, 2, 0)).resize((224, 224), Image.BICUBIC)) for i in IMAGES]
    processor = transformers.BitImageProcessor(
        do_resize=False, do_center_crop=False, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]
    )
    model = transformers.Dinov2Model.from_pretrained(weights / "dinov2-small").eval()
    with torch.inference_mode():
        expected = model(**processor(squeezed, return_tensors="pt")).pooler_output
    np.testing.assert_allclose(features("dinov2-small"), expected, atol=1e-5)


@pytest.mark.parametrize("name", CLIPS)
def test_clip_is_the_librarys_embedding_of_its_own_processor(name: str, weights: Path) -> None:
    import torch

    side = plugins.find("features", name).side
    save_clip(weights / name, side)
    processor = transformers.models.clip.CLIPImageProcessorPil(
        size={"shortest_edge": side}, crop_size={"height": side, "width": side}
    )
    model = transformers.CLIPVisionModelWithProjection.from_pretrained(weights / name).eval()
    with torch.inference_mode():
        expected = model(**processor([i.transpose(1, 2, 0) for i in IMAGES], return_tensors="pt")).image_embeds
    np.testing.assert_allclose(features(name), expected, atol=1e-5)


def test_texts_lie_in_the_space_of_the_images(weights: Path) -> None:
    save_clip(weights / "clip-vit-b-32", 224)
    extractor = plugins.make("features", "clip-vit-b-32")
    both = extractor.embed_texts(["a dog", "a red cat"]).features
    assert both.shape == (2, features("clip-vit-b-32").shape[1])
    np.testing.assert_allclose(extractor.embed_texts(["a dog"]).features[0], both[0], atol=1e-6)
    assert np.abs(both[0] - both[1]).max() > 1e-3


def test_long_prompts_are_cut_or_read_in_parts(weights: Path) -> None:
    save_clip(weights / "clip-vit-b-32", 224)
    long, start = "dog " * 20 + "cat " * 20, "dog " * 20
    cut = plugins.make("features", "clip-vit-b-32").embed_texts(["a dog", long, start])
    assert cut.cut.tolist() == [False, True, True]
    np.testing.assert_allclose(cut.features[1], cut.features[2], atol=1e-6)
    parts = plugins.make("features", "clip-vit-b-32:long_prompts=parts").embed_texts(["a dog", long, start])
    assert parts.features.shape == (3, 12)
    assert not parts.cut.any()
    np.testing.assert_allclose(parts.features[0], cut.features[0], atol=1e-6)
    assert np.abs(parts.features[1] - parts.features[2]).max() > 1e-3


def test_features_do_not_depend_on_the_batch_and_gray_is_colour_of_equal_channels(weights: Path) -> None:
    save_dinov2(weights / "dinov2-base")
    gray = IMAGES[:, :1]
    whole = features("dinov2-base", gray)
    np.testing.assert_allclose(features("dinov2-base", gray[1:2]), whole[1:2], atol=1e-6)
    np.testing.assert_array_equal(features("dinov2-base", gray.repeat(3, axis=1)), whole)
    with pytest.raises(Failed, match="one or three channels, found 4"):
        features("dinov2-base", np.zeros((1, 4, 32, 32), np.uint8))


@pytest.mark.parametrize("name", [*CLIPS, *DINOS])
def test_without_weights_it_says_what_to_copy_where(name: str, weights: Path) -> None:
    with pytest.raises(Unavailable, match="copy the files of") as caught:
        plugins.make("features", name).fingerprint()
    assert str(weights / name) in str(caught.value)
    assert "config.json, model.safetensors" in str(caught.value)


def test_a_folder_that_is_no_model_fails(weights: Path) -> None:
    folder = weights / "dinov2-large"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(Failed, match="cannot be loaded"):
        features("dinov2-large")


def test_the_fingerprint_is_that_of_the_weights(weights: Path) -> None:
    save_dinov2(weights / "dinov2-small")
    save_dinov2(weights / "dinov2-base")
    small, base = (plugins.make("features", name) for name in DINOS[:2])
    assert small.fingerprint() == base.fingerprint()
    (weights / "dinov2-base" / "config.json").write_text("{}")
    assert small.fingerprint() != base.fingerprint()
