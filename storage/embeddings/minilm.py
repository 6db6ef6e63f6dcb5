"""Model conversion: the ONNX graph of all-MiniLM-L6-v2, built from its official weights.

Six post-norm BERT layers, mean pooling over the mask, L2 norm: what the model card describes, with standard
operators of opset 20 (`Gelu`, `LayerNormalization`), so that neither PyTorch nor an exporter is needed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from storage.embeddings.model_card import DIMENSION, MODEL

LAYERS = 6
HEADS = 12
HIDDEN = DIMENSION
EPSILON = 1e-12
OPSET = 20

Weights = Mapping[str, NDArray[np.float32]]


def build_graph(weights: Weights) -> onnx.ModelProto:
    """The model with inputs `ids` and `mask` (n, tokens; int64) and output `vectors` (n, 384; float32, L2 norm 1)."""
    graph = _Graph()
    hidden = _embed(graph, weights)
    graph.constant("scores.shape", np.array([0, 0, HEADS, HIDDEN // HEADS], np.int64))
    graph.constant("hidden.shape", np.array([0, 0, HIDDEN], np.int64))
    graph.constant("scale", np.array(np.sqrt(HIDDEN / HEADS), np.float32))
    for layer in range(LAYERS):
        hidden = _layer(graph, weights, f"encoder.layer.{layer}", hidden)
    _pool(graph, hidden)
    return graph.model()


class _Graph:
    """Nodes and constants in the making; every method gives the name of its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def linear(self, weights: Weights, name: str, inputs: str) -> str:
        """`inputs @ W.T + b`: PyTorch keeps a linear layer's matrix transposed."""
        matrix = self.constant(f"{name}.matrix", weights[f"{name}.weight"].T)
        bias = self.constant(f"{name}.bias", weights[f"{name}.bias"])
        return self.node("Add", [self.node("MatMul", [inputs, matrix], f"{name}.product"), bias], f"{name}.out")

    def norm(self, weights: Weights, name: str, inputs: str) -> str:
        parts = [self.constant(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias")]
        return self.node("LayerNormalization", [inputs, *parts], f"{name}.out", axis=-1, epsilon=EPSILON)

    def model(self) -> onnx.ModelProto:
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "tokens"]) for name in ("ids", "mask")]
        outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", HIDDEN])]
        graph = helper.make_graph(self._nodes, MODEL, inputs, outputs, list(self._constants.values()))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def _embed(graph: _Graph, weights: Weights) -> str:
    """Word + position + segment embeddings, normalised; sets `mask.bias`, which hides padding from attention."""
    words = graph.constant("words", weights["embeddings.word_embeddings.weight"])
    # Every text is segment 0, so its embedding can be added to the positions once.
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    table = graph.constant("positions", positions)
    for name, value in (("zero", [0]), ("one", [1]), ("two", [2])):
        graph.constant(name, np.array(value, np.int64))
    tokens = graph.node("Shape", ["ids"], "tokens", start=1, end=2)
    here = graph.node("Slice", [table, "zero", tokens, "zero"], "positions.here")
    summed = graph.node("Add", [graph.node("Gather", [words, "ids"], "words.here"), here], "embeddings.sum")
    graph.node("Cast", ["mask"], "mask.float", to=TensorProto.FLOAT)
    graph.constant("float.one", np.array(1, np.float32))
    graph.constant("float.least", np.array(-1e9, np.float32))
    graph.constant("axes.attention", np.array([1, 2], np.int64))
    hidden = graph.node("Sub", ["float.one", "mask.float"], "mask.hidden")
    bias = graph.node("Mul", [hidden, "float.least"], "mask.least")
    graph.node("Unsqueeze", [bias, "axes.attention"], "mask.bias")
    return graph.norm(weights, "embeddings.LayerNorm", summed)


def _layer(graph: _Graph, weights: Weights, name: str, inputs: str) -> str:
    context = _attention(graph, weights, f"{name}.attention.self", inputs)
    attended = graph.linear(weights, f"{name}.attention.output.dense", context)
    added = graph.node("Add", [attended, inputs], f"{name}.attention.added")
    middle = graph.norm(weights, f"{name}.attention.output.LayerNorm", added)
    wide = graph.node("Gelu", [graph.linear(weights, f"{name}.intermediate.dense", middle)], f"{name}.gelu")
    narrow = graph.linear(weights, f"{name}.output.dense", wide)
    return graph.norm(weights, f"{name}.output.LayerNorm", graph.node("Add", [narrow, middle], f"{name}.added"))


def _attention(graph: _Graph, weights: Weights, name: str, inputs: str) -> str:
    heads = {}
    for part, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])):
        split = graph.node(
            "Reshape", [graph.linear(weights, f"{name}.{part}", inputs), "scores.shape"], f"{name}.{part}.split"
        )
        heads[part] = graph.node("Transpose", [split], f"{name}.{part}.heads", perm=order)
    product = graph.node("MatMul", [heads["query"], heads["key"]], f"{name}.product")
    scaled = graph.node("Div", [product, "scale"], f"{name}.scaled")
    masked = graph.node("Add", [scaled, "mask.bias"], f"{name}.masked")
    shares = graph.node("Softmax", [masked], f"{name}.shares", axis=-1)
    mixed = graph.node("MatMul", [shares, heads["value"]], f"{name}.mixed")
    joined = graph.node("Transpose", [mixed], f"{name}.joined", perm=[0, 2, 1, 3])
    return graph.node("Reshape", [joined, "hidden.shape"], f"{name}.context")


def _pool(graph: _Graph, hidden: str) -> None:
    """The mean over the tokens that are not padding, scaled to length 1."""
    mask = graph.node("Unsqueeze", ["mask.float", "two"], "pool.mask")
    total = graph.node("ReduceSum", [graph.node("Mul", [hidden, mask], "pool.masked"), "one"], "pool.sum", keepdims=0)
    mean = graph.node("Div", [total, graph.node("ReduceSum", [mask, "one"], "pool.count", keepdims=0)], "pool.mean")
    graph.node("LpNormalization", [mean], "vectors", axis=-1, p=2)
