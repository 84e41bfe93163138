"""The suite that ``evalsuite init`` writes: valid as it stands, with the next steps in comments."""

from __future__ import annotations

TEMPLATE = """\
# A suite: which models to compare, where, by what, and what must hold. docs/suite.md explains every key.
# Check it with `evalsuite validate FILE`, see what it would do with `evalsuite plan FILE`, then `evalsuite run FILE`.

suite: my-suite
task: class_conditional                # or unconditional

# The real images that generated ones are compared with. `evalsuite list datasets` shows what there is.
reference: {dataset: fashion-mnist, split: test}

# All models generate sample 0, 1, 2, ... from the same noise. More samples give narrower intervals.
sampling: {num_samples: 500, seed: 0}

# Keys other than role and adapter are the adapter's settings. `evalsuite list models` shows the adapters.
models:
  teacher: {role: teacher, adapter: zoo, name: fashion-teacher, num_steps: 16}
  student: {role: student, adapter: zoo, name: fashion-4step}
  # One entry for each value of a setting; the name says where the value goes:
  # teacher-{num_steps}: {role: control, adapter: zoo, name: fashion-teacher, matrix: {num_steps: [4, 8]}}
  # Images that were generated elsewhere:
  # mine: {role: student, adapter: image_folder, path: ../my-images}

targets:
  cpu: {device: cpu, threads: 2, batch_size: 16}
  # gpu: {device: cuda, dtype: bfloat16, batch_size: 256}

# `evalsuite list metrics` shows them all; settings and another label are written so:
# {fid: {extractor: fashion-cnn}, name: fid-cnn}
metrics:
  - fid
  - kid
  - class_accuracy
  - psnr                               # student against teacher, image by image
  - {latency: {scenario: single_stream}}
  - peak_memory

# The same metrics on parts of the samples, or with something changed.
slices:
  - {attribute: class}
  # - {latent: {scale: [1.1]}}

# What must hold; `evalsuite run` exits with 1 where it does not.
gates:
  - {metric: fid, candidate: student, against: teacher, test: non_inferiority, margin: {relative: 100%}}
  # - {metric: latency_p50, candidate: "*", test: limit, max: 80 ms}
  # - {metric: class_accuracy, candidate: student, against: "baseline:main", test: no_regression}

report: {formats: [html, markdown, csv, json]}
"""
