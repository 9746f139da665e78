import tir as theano
from tir import tensor as T

a = T.scalar()
b = T.scalar()

y = a * b

multiply = theano.function(inputs=[a, b], outputs=y)

print(multiply(1, 2))  # 2
print(multiply(3, 3))  # 9
