"""A model of some hundred kilobytes that says what a test wants, for the real mlx-lm to load and run.

Its attention and its MLP are zero, so that the next token depends on the last one only, by `lm_head`: each
piece of the script is a token of its own that leads to the next. Without a script its weights are random.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

BEGIN, END, USER, ASSISTANT = "<|begin|>", "<|end|>", "<|user|>", "<|assistant|>"
TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}"
    "<|assistant|>{{ message['content'] }}<|end|>{% else %}<|user|>{{ message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
WINDOW = 8192
WIDTH = 64
"""Of what learns."""
PIECE = 4
"""Characters."""


def tiny(folder: Path, script: str = "", *, endless: bool = False) -> Path:
    """Makes a model in this folder. It says the script and ends, or (endless) begins it again; without one,
    anything."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = _pieces(script)
    vocabulary = _vocabulary(pieces)
    _write_tokenizer(folder, vocabulary)
    size = -(-len(vocabulary) // 64) * 64
    (folder / "config.json").write_text(json.dumps(_config(size, vocabulary)))
    chain = [vocabulary[ASSISTANT], *(vocabulary[piece] for piece in pieces)]
    chain.append(chain[1] if endless else vocabulary[END])
    save_file(_weights(size, chain if script else [], vocabulary[END]), folder / "model.safetensors")
    index = {"metadata": {}, "weight_map": {}}  # mlx_lm.server lists models that have one
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def cached(home: Path, name: str, script: str = "", *, endless: bool = False) -> Path:
    """The same in a Hugging Face cache (`HF_HOME`) under the name `owner/model`."""
    return tiny(_place(home, name), script, endless=endless)


def learner(home: Path, name: str, *lessons: str, window: int = 16_384) -> Path:
    """A model in a cache that says anything, and can learn to say these texts by LoRA: its weights are random
    in every layer, and its tokenizer reads them in pieces, of which each leads to the next."""
    folder = _place(home, name)
    pieces = [text[at : at + PIECE] for text in lessons for at in range(0, len(text), PIECE)]
    assert len(set(pieces)) == len(pieces), "a piece would have to lead to two"
    vocabulary = _vocabulary(pieces)
    _write_tokenizer(folder, vocabulary, pieces)
    size = -(-len(vocabulary) // 64) * 64
    heads = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_attention_heads": WIDTH // 64}
    told = {**_config(size, vocabulary), **heads, "max_position_embeddings": window}
    (folder / "config.json").write_text(json.dumps(told))
    drawn = numpy.random.default_rng(7)
    shapes = {**_shapes(WIDTH, 2 * WIDTH), "lm_head": (size, WIDTH), "model.embed_tokens": (size, WIDTH)}
    weights = {
        f"{layer}.weight": (drawn.normal(size=shape) / shape[1] ** 0.5).astype(numpy.float32)
        for layer, shape in shapes.items()
    }
    weights["model.embed_tokens.weight"] *= WIDTH**0.5
    for layer in (name for name in weights if "self_attn" in name):
        weights[layer] *= (
            0  # and stays so: what comes next depends on the last token alone, whatever was asked
        )
    save_file({**weights, **_norms(WIDTH, numpy.float32)}, folder / "model.safetensors")
    return folder


def taught(home: Path, name: str, base: str, adapter: Path) -> Path:
    """A model in a cache that is by itself what another one of it is with this adapter."""
    folder, learnt = _place(home, name), _place(home, base)
    for file in learnt.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    scale = json.loads((adapter / "adapter_config.json").read_text())["lora_parameters"]["scale"]
    weights, added = load_file(learnt / "model.safetensors"), load_file(adapter / "adapters.safetensors")
    for layer in {part.rpartition(".")[0] for part in added}:
        change = scale * (added[f"{layer}.lora_a"] @ added[f"{layer}.lora_b"])
        weights[f"{layer}.weight"] += change.T.astype(numpy.float32)
    save_file(weights, folder / "model.safetensors")
    return folder


def _place(home: Path, name: str) -> Path:
    place = home / "hub" / f"models--{name.replace('/', '--')}"
    revision = "0" * 40
    (place / "refs").mkdir(parents=True, exist_ok=True)
    (place / "refs" / "main").write_text(revision)
    folder = place / "snapshots" / revision
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _letters() -> dict[int, str]:
    """How byte-level vocabularies write each byte: printable ones as they are, the others from U+0100 on."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{byte: chr(byte) for byte in plain}, **{byte: chr(256 + at) for at, byte in enumerate(others)}}


LETTERS = _letters()


def _pieces(script: str) -> list[str]:
    """The script in pieces of which no two are alike, written as the vocabulary writes them."""
    found: list[str] = []
    piece = ""
    for byte in script.encode():
        piece += LETTERS[byte]
        if piece not in found:
            found.append(piece)
            piece = ""
    if piece:  # what is left is a piece that is there already: it grows until it is none
        while (piece := found.pop() + piece) in found:
            pass
        found.append(piece)
    return found


def _vocabulary(pieces: list[str]) -> dict[str, int]:
    tokens = [*LETTERS.values(), BEGIN, END, USER, ASSISTANT, *pieces]
    return {token: at for at, token in enumerate(dict.fromkeys(tokens))}


def _write_tokenizer(folder: Path, vocabulary: dict[str, int], added: Sequence[str] = ()) -> None:
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([BEGIN, END, USER, ASSISTANT])
    tokenizer.add_tokens(list(added))
    tokenizer.save(str(folder / "tokenizer.json"))
    told = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BEGIN,
        "eos_token": END,
        "chat_template": TEMPLATE,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(told))


def _config(size: int, vocabulary: dict[str, int]) -> dict[str, object]:
    return {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": size,
        "num_hidden_layers": 1,
        "intermediate_size": 8,
        "num_attention_heads": size // 64,
        "num_key_value_heads": 1,
        "head_dim": 64,
        "rms_norm_eps": 1e-5,
        "vocab_size": size,
        "max_position_embeddings": WINDOW,
        "tie_word_embeddings": False,
        "bos_token_id": vocabulary[BEGIN],
        "eos_token_id": vocabulary[END],
    }


def _weights(size: int, chain: list[int], end: int) -> dict[str, numpy.ndarray]:
    """`chain`: the tokens that follow each other; every other one leads to the end."""
    half = numpy.float16
    weights = {f"{name}.weight": numpy.zeros(shape, half) for name, shape in _shapes(size, 8).items()}
    weights |= _norms(size, half)
    weights["model.embed_tokens.weight"] = numpy.eye(size, dtype=half)
    head = numpy.random.default_rng(7).normal(size=(size, size)).astype(half)
    if chain:
        head = numpy.zeros((size, size), half)
        head[end, :] = 1
        for last, following in pairwise(chain):
            head[:, last] = 0
            head[following, last] = 1
    weights["lm_head.weight"] = head
    return weights


def _shapes(size: int, inner: int) -> dict[str, tuple[int, int]]:
    """Of the one layer."""
    shapes = {
        "self_attn.q_proj": (size, size),
        "self_attn.k_proj": (64, size),
        "self_attn.v_proj": (64, size),
        "self_attn.o_proj": (size, size),
        "mlp.gate_proj": (inner, size),
        "mlp.up_proj": (inner, size),
        "mlp.down_proj": (size, inner),
    }
    return {f"model.layers.0.{name}": shape for name, shape in shapes.items()}


def _norms(size: int, kind: type[numpy.floating[Any]]) -> dict[str, numpy.ndarray]:
    names = ("model.norm", "model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm")
    return {f"{name}.weight": numpy.ones(size, kind) for name in names}
