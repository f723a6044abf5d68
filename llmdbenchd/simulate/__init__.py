"""A model server that models nothing and whose timing is known: the truth beside a measurement.

It speaks the OpenAI dialect of vLLM, keeps the asked times to first token and between
tokens by absolute deadlines, answers with exactly as many tokens as were asked for, and
writes down what it really sent. Demos and tests hold a harness's figures against that.
"""
