"""`evalsuite.measure` and `evalsuite.difference` as a user of Python calls them."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalsuite
from evalsuite.direct import extraction
from evalsuite.direct.measure import mixed_groups, moments
from evalsuite.errors import UsageError
from evalsuite.features.pixels import Pixels
from evalsuite.moments import save
from tests.conftest import ROOT
from tests.direct.files import clouds, pictures, save_folder, save_zip
from tests.metrics.inputs import with_moments


def measure(generated, reference=None, metrics=("fid",), **options):
    """By name, with the extractor that needs no weights."""
    measurements, missing = evalsuite.measure(
        generated=generated, reference=reference, metrics=metrics, **{"extractor": "pixels", **options}
    )
    return {one.name: one for one in measurements}, {one.name: one for one in missing}


def value(*args, **options):
    (one,) = measure(*args, **options)[0].values()
    return one.value


def reason(*args, **options):
    found, missing = measure(*args, **options)
    assert not found
    (one,) = missing.values()
    return f"{one.kind}: {one.reason}"


class TestFeatures:
    def test_fid_is_the_closed_form(self):
        mine = with_moments(500, [0.0, 0.0], np.diag([4.0, 1.0]), seed=1)
        theirs = with_moments(400, [3.0, 0.0], np.diag([1.0, 1.0]), seed=2)
        assert value(mine, theirs) == pytest.approx(9.0 + 1.0, rel=1e-9)

    def test_each_metric_is_in_one_of_the_two_answers(self):
        names = ["fid", "fid_debiased", "kid", "precision", "recall", "inception_score", "psnr", "feature_distance"]
        found, missing = measure(clouds(), clouds(seed=1), names)
        assert list(found) == ["fid", "fid_debiased", "kid", "precision", "recall", "feature_distance"]
        assert list(missing) == ["inception_score", "psnr"]
        assert all(one.interval for one in found.values())
        assert {one.against for one in found.values()} == {"reference", "ground_truth"}

    def test_settings_of_a_metric(self):
        found, _ = measure(clouds(), clouds(seed=1), [{"precision": {"k": 3}}])
        assert found["precision"].protocol["k"] == 3

    def test_the_protocol_says_what_is_known(self):
        protocol = measure(clouds(), clouds(seed=1), extractor="my-network")[0]["fid"].protocol
        assert protocol["extractor"] == "my-network"
        assert (
            protocol["reference_fingerprint"]
            == measure(clouds(), clouds(seed=1)[::-1])[0]["fid"].protocol["reference_fingerprint"]
        )
        assert protocol["n"] == 300

    @given(st.randoms(use_true_random=False))
    @settings(max_examples=10, deadline=None)
    def test_order_does_not_matter_to_the_values(self, random):
        order = list(range(300))
        random.shuffle(order)
        names = ["fid", "kid", "precision", "recall"]
        plain, _ = measure(clouds(), clouds(seed=1), names)
        mixed, _ = measure(clouds()[order], clouds(seed=1)[order], names)
        for name in names:
            assert mixed[name].value == pytest.approx(plain[name].value, rel=1e-6)
            assert mixed[name].protocol == plain[name].protocol

    def test_no_torch_for_features(self):
        program = """
import sys
import numpy as np
import evalsuite
features = np.random.default_rng(0).normal(size=(100, 4))
measurements, _ = evalsuite.measure(generated=features, reference=features[:60] + 1, metrics=["fid", "kid", "recall"])
assert len(measurements) == 3
print([name for name in ("torch", "torchvision", "torchmetrics") if name in sys.modules])
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60)
        assert (done.stdout.strip(), done.stderr) == ("[]", "")


class TestUnusualFeatures:
    """What has no answer says why; what has one that surprises is written down here and in the documentation."""

    def test_equal_sets(self):
        found, _ = measure(clouds(), clouds(), ["fid", "kid", "precision", "recall"])
        assert found["fid"].value == pytest.approx(0.0, abs=1e-9)
        assert -0.1 < found["kid"].value < 0
        assert found["precision"].value == found["recall"].value == 1.0

    def test_duplicates_count_as_samples(self):
        """Doubling every sample changes no moment but the divisor n - 1."""
        once, twice = clouds(300), np.repeat(clouds(300), 2, axis=0)
        assert value(twice, clouds(seed=1)) == pytest.approx(value(once, clouds(seed=1)), rel=0.05)
        found, _ = measure(np.repeat(clouds(1), 100, axis=0), clouds(seed=1), ["fid", "recall"])
        assert found["recall"].value == 0.0
        assert found["fid"].value > 1

    def test_constant_features(self):
        found, missing = measure(np.ones((100, 3)), np.ones((100, 3)), ["fid", "kid", "precision", "recall"])
        assert not missing
        assert found["fid"].value == 0.0
        assert found["kid"].value == pytest.approx(0.0, abs=1e-9)
        assert found["precision"].value == found["recall"].value == 1.0

    def test_one_sample(self):
        names = ["fid", "fid_debiased", "kid", "recall"]
        found, missing = measure(clouds(1), clouds(seed=1), names)
        assert not found
        assert {one.kind for one in missing.values()} == {"skipped"}
        assert all("needs at least" in one.reason and "has 1" in one.reason for one in missing.values())

    def test_few_samples_have_a_value_without_an_interval(self):
        one = measure(clouds(8), clouds(seed=1))[0]["fid"]
        assert one.interval is None
        assert "no interval: it needs 10 groups of samples, has 8" in one.warning

    def test_fewer_samples_than_dimensions_warn(self):
        assert "biased" in measure(clouds(100, 50), clouds(100, 50, seed=1))[0]["fid"].invalid

    def test_unequal_dimensions(self):
        with pytest.raises(UsageError, match="generated features have 5 dimensions and those of the reference 4"):
            measure(clouds(30, 5), clouds(30, 4))

    def test_values_that_are_not_finite(self):
        spoiled = clouds()
        spoiled[7, 2] = np.nan
        with pytest.raises(UsageError, match="reference: found NaN or infinite features in 1 of 300 rows, first 7"):
            measure(clouds(), spoiled)

    def test_values_too_large_for_their_square(self):
        assert reason(clouds() * 1e200, clouds()).startswith("failed: ")


class TestPairs:
    def test_arrays_are_paired_by_position(self):
        images = pictures(30)
        found, _ = measure(images, images, ["psnr", "ssim", "feature_distance"])
        assert found["psnr"].value == 100
        assert found["ssim"].value == pytest.approx(1)
        assert found["feature_distance"].value == 0
        assert {one.against for one in found.values()} == {"ground_truth"}

    def test_files_are_paired_by_name(self, tmp_path):
        images = pictures(12)
        mine = save_folder(tmp_path / "mine", images)
        theirs = save_zip(tmp_path / "theirs.zip", np.concatenate([images, pictures(3, seed=1)]), "deep/{:04d}.bmp")
        found, _ = measure(mine, theirs, ["psnr", "feature_distance"])
        assert (found["psnr"].value, found["psnr"].n) == (100, 12)
        assert found["feature_distance"].value == 0

    def test_the_partner_follows_the_sample_ids(self, tmp_path):
        mine, theirs = pictures(12), pictures(12, seed=1)
        plain, _ = measure(mine, theirs, ["psnr", "feature_distance"])
        ids = np.random.default_rng(0).permutation(12)
        mixed, _ = measure(mine, theirs, ["psnr", "feature_distance"], sample_ids=ids)
        for name, one in mixed.items():
            assert one.value == pytest.approx(plain[name].value)
            np.testing.assert_array_equal(one.sample_ids, np.arange(12))
            np.testing.assert_allclose(one.per_sample, plain[name].per_sample[np.argsort(ids)])

    @pytest.mark.parametrize(
        ("reference", "expected"),
        [
            (None, "needs a reference sample for each generated one"),
            (pictures(11), "pairs by position need equal numbers, found 12 generated and 11 reference"),
            (clouds(12, 49), "needs images on both sides, and there are only features"),
        ],
    )
    def test_what_cannot_be_paired_is_skipped(self, reference, expected):
        assert reason(pictures(12), reference, ["psnr"]) == f"skipped: {expected}"

    def test_names_without_a_partner(self, tmp_path):
        mine, theirs = save_folder(tmp_path / "a", pictures(5)), save_folder(tmp_path / "b", pictures(3))
        expected = "skipped: pairs by name need a reference image for each generated one; 2 of 5 have none, first 0003"
        assert reason(mine, theirs, ["psnr"]) == expected

    def test_a_name_twice(self, tmp_path):
        mine = save_folder(tmp_path / "a", pictures(3))
        save_folder(mine, pictures(1), "{:04d}.bmp")
        expected = "skipped: pairs by name need each name once, found two files 0000"
        assert reason(mine, save_folder(tmp_path / "b", pictures(3)), ["psnr"]) == expected

    def test_mixed_sizes_are_named(self, tmp_path):
        mine = save_folder(tmp_path / "a", pictures(3))
        save_folder(mine, pictures(1, size=16), "other-{:04d}.png")
        found, missing = measure(mine, mine, ["psnr", "feature_distance"])
        assert "0000 has 12x12 pixels of 3 channels, other-0000 has 16x16" in missing["psnr"].reason
        assert found["feature_distance"].n == 4


class TestImages:
    def test_every_form_gives_the_same_measurement(self, tmp_path):
        mine, theirs = pictures(40), pictures(50, seed=1)
        np.save(tmp_path / "a.npy", mine)
        forms = [mine, mine.transpose(0, 3, 1, 2), tmp_path / "a.npy", save_folder(tmp_path / "a", mine)]
        references = [theirs, save_zip(tmp_path / "b.zip", theirs)]
        found = [measure(form, reference)[0]["fid"] for form in forms for reference in references]
        assert len({one.value for one in found}) == 1
        assert all(one.protocol == found[0].protocol for one in found)

    def test_the_batch_does_not_matter(self, tmp_path):
        images = save_folder(tmp_path / "a", pictures(40))
        save_folder(images, pictures(7, size=16, channels=1), "grey-{:04d}.png")
        values = {
            value(images, pictures(50, seed=1), batch_size=size, cache=tmp_path / f"cache-{size}")
            for size in (1, 7, 64)
        }
        assert len(values) == 1

    def test_the_order_of_files_does_not_matter(self, tmp_path):
        images = pictures(40)
        one, other = save_folder(tmp_path / "a", images), save_folder(tmp_path / "b", images[::-1])
        assert value(one, pictures(50, seed=1)) == pytest.approx(value(other, pictures(50, seed=1)), rel=1e-6)

    def test_images_pass_the_extractor_once(self, tmp_path, monkeypatch):
        mine, theirs = save_folder(tmp_path / "a", pictures(40)), pictures(50, seed=1)
        first, _ = measure(mine, theirs, ["fid", "kid"], cache=tmp_path / "cache")
        monkeypatch.setattr(Pixels, "open", lambda self: pytest.fail("opened again"))
        second, _ = measure(mine, theirs, ["fid", "kid"], cache=tmp_path / "cache")
        assert first == second
        assert not measure(theirs, mine, ["kid"], cache=tmp_path / "cache")[1]

    def test_other_images_under_the_same_name_are_other_images(self, tmp_path):
        folder = save_folder(tmp_path / "a", pictures(40))
        before = value(folder, pictures(50, seed=1), cache=tmp_path / "cache")
        save_folder(folder, pictures(40, seed=5))
        assert value(folder, pictures(50, seed=1), cache=tmp_path / "cache") != before

    def test_chunks_of_the_cache_are_joined_in_order(self, tmp_path, monkeypatch):
        whole = value(pictures(40), pictures(50, seed=1))
        monkeypatch.setattr(extraction, "CHUNK", 16)
        assert value(pictures(40), pictures(50, seed=1), cache=tmp_path / "cache") == whole

    def test_what_an_extractor_does_not_take_is_a_missing_value(self):
        text = reason(pictures(4), pictures(4), extractor="fashion-cnn")
        assert text.startswith("failed: fashion-cnn takes images of 1x28x28, found 3x12x12")

    def test_one_metric_may_have_an_extractor_of_its_own(self):
        grey = pictures(30, size=28, channels=1)
        found, _ = measure(grey, grey, ["fid", {"kid": {"extractor": "fashion-cnn"}}])
        assert [one.extractor for one in found.values()] == ["pixels", "fashion-cnn"]

    def test_labels_for_metrics_of_classes(self):
        grey = pictures(30, size=28, channels=1)
        found, _ = measure(grey, grey, ["class_accuracy"], extractor="fashion-cnn", labels=np.arange(30) % 10)
        assert 0 <= found["class_accuracy"].value <= 1

    def test_no_reference(self):
        grey = pictures(30, size=28, channels=1)
        found, missing = measure(grey, None, ["inception_score", "fid"], extractor="fashion-cnn")
        assert found["inception_score"].value >= 1
        assert missing["fid"].reason == "needs at least 2 reference samples, has 0"


class TestSavedStatistics:
    @pytest.fixture
    def saved(self, tmp_path):
        save(moments(pictures(60, seed=1), extractor="pixels"), tmp_path / "ref.safetensors")
        return tmp_path / "ref.safetensors"

    def test_fid_against_the_file_is_that_against_the_images(self, saved):
        one = measure(pictures(60), pictures(60, seed=1))[0]["fid"]
        other = measure(pictures(60), saved, extractor=None)[0]["fid"]
        assert other.value == pytest.approx(one.value, rel=1e-9)
        assert other.interval.low == pytest.approx(one.interval.low, rel=1e-6)
        assert other.protocol == one.protocol

    def test_metrics_that_need_samples_say_so(self, saved):
        assert "only their mean and covariance" in reason(pictures(60), saved, ["kid"])
        expected = "skipped: needs each generated sample, and there are only the mean and covariance of all"
        assert reason(saved, pictures(60), ["kid"]) == expected

    @pytest.mark.parametrize(("n", "dim"), [(300, 5), (30, 50)])
    def test_both_sides_may_be_files(self, tmp_path, n, dim):
        sides = clouds(n, dim), clouds(n + 20, dim, seed=1)
        for name, features in zip("gr", sides, strict=True):
            save(moments(features), tmp_path / f"{name}.safetensors")
        one = measure(*sides)[0]["fid"]
        other = measure(tmp_path / "g.safetensors", tmp_path / "r.safetensors")[0]["fid"]
        assert other.value == pytest.approx(one.value, rel=1e-8)
        assert other.protocol == one.protocol
        assert other.n == n
        assert (other.interval, other.influence) == (None, None)
        assert "no interval" in other.warning

    def test_a_file_that_does_not_say_n(self, tmp_path):
        np.savez(tmp_path / "a.npz", mu=np.zeros(5), sigma=np.eye(5))
        found = measure(clouds(3000), tmp_path / "a.npz")[0]["fid"]
        assert found.value < 0.05
        assert found.protocol["n_reference"] == "unknown"
        assert "do not say of how many samples" in reason(tmp_path / "a.npz", clouds())

    def test_another_extractor_is_refused(self, saved):
        grey = pictures(30, size=28, channels=1)
        with pytest.raises(UsageError, match=r"reference: made with extractor pixels, and .* with fashion-cnn"):
            measure(grey, saved, extractor="fashion-cnn")


class TestDifference:
    def test_equal_ids_are_paired(self):
        reference, ids = clouds(seed=1), np.arange(300)
        mine = clouds()
        near, _ = measure(mine + 0.2, reference, ["fid", "kid", "precision"], sample_ids=ids)
        far, _ = measure(mine, reference, ["fid", "kid", "precision"], sample_ids=ids)
        for name, one in near.items():
            found = evalsuite.difference(one, far[name])
            assert found.paired
            assert found.interval.low <= found.value <= found.interval.high
            assert found.minimum_detectable_effect > 0
            loose = evalsuite.difference(one.model_copy(update={"sample_ids": None}), far[name])
            assert not loose.paired

    def test_the_order_of_samples_does_not_matter_where_they_have_ids(self):
        order = np.random.default_rng(0).permutation(300)
        one, _ = measure(clouds(), clouds(seed=1), ["kid"], sample_ids=np.arange(300))
        same, _ = measure(clouds()[order], clouds(seed=1), ["kid"], sample_ids=order)
        found = evalsuite.difference(one["kid"], same["kid"])
        assert found.paired
        assert found.value == 0
        assert found.interval.low == found.interval.high == 0

    def test_without_ids_it_is_unpaired(self):
        one, _ = measure(clouds(), clouds(seed=1), ["kid"])
        assert not evalsuite.difference(one["kid"], one["kid"]).paired

    def test_other_references_are_not_compared(self):
        one, _ = measure(clouds(), clouds(seed=1))
        other, _ = measure(clouds(), clouds(seed=2))
        found = evalsuite.difference(one["fid"], other["fid"])
        assert "reference_fingerprint" in found.incomparable

    def test_a_missing_value(self):
        one, _ = measure(clouds(), clouds(seed=1))
        _, none = measure(clouds(1), clouds(seed=1))
        assert "needs at least" in evalsuite.difference(one["fid"], none["fid"]).incomparable


class TestUsage:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"metrics": ["fidd"]}, "did you mean 'fid'"),
            ({"metrics": ["latency"]}, "latency times a model"),
            ({"metrics": ["fid", "fid"]}, "found fid twice"),
            ({"metrics": [{"precision": {"k": 0}}]}, r"precision: k: found 0: .*greater than or equal to 1"),
            ({"metrics": [{"precision": {"neighbours": 3}}]}, "precision: neighbours: found 3"),
            ({"metrics": [{"fid": {}, "kid": {}}]}, "expected a name or"),
            ({"metrics": "fid"}, r"found the text 'fid', expected a list such as \['fid'\]"),
            ({"sample_ids": np.arange(3)}, r"sample_ids: found int64 \[3\], expected 300 integers"),
            ({"sample_ids": np.arange(300.0)}, "sample_ids: found float64"),
            ({"sample_ids": np.zeros(300, int)}, "sample_ids: found an id twice"),
            ({"labels": np.arange(3)}, "labels: found"),
            ({"batch_size": 0}, "batch_size: found 0"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, options, message):
        with pytest.raises(UsageError, match=message):
            measure(clouds(), clouds(seed=1), **options)

    def test_an_unknown_extractor(self):
        with pytest.raises(UsageError, match="did you mean 'pixels'"):
            measure(pictures(4), pictures(4), extractor="pixel")


class TestGroups:
    def test_sizes_are_balanced(self):
        assert np.bincount(mixed_groups(507, None)).tolist() == [26] * 7 + [25] * 13

    @pytest.mark.parametrize("labels", [np.arange(1000) % 10, np.arange(1000) // 100, np.arange(1000) % 20])
    def test_no_pattern_in_the_order_makes_groups_of_one_class(self, labels):
        groups = mixed_groups(1000, None)
        counts = np.zeros((20, 20))
        np.add.at(counts, (groups, labels), 1)
        assert counts.max(axis=1).max() <= 16

    def test_known_classes_are_balanced(self):
        labels = np.arange(1000) % 10
        counts = np.zeros((20, 10), int)
        np.add.at(counts, (mixed_groups(1000, labels), labels), 1)
        assert (counts == 5).all()
