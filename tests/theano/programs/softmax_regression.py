import numpy
from tir import shared, function
from tir.tensor import arange, argmax, dot, grad, log, matrix, mean, vector
from tir.tensor.nnet import softmax
from load import mnist

n_input, n_outputs = 784, 10
images, _, digits, _ = mnist(onehot=False)

### declare symbolic inputs and parameters
### if Theano is in GPU-mode, w and b will be allocated on the GPU device
x = matrix(); y = vector(dtype='int32')
w = shared(numpy.random.randn(n_input, n_outputs))
b = shared(numpy.zeros(n_outputs))
### symbolic expression of logistic regression
prediction = argmax(softmax(dot(x,w)+b), axis=1)
loss = -mean(log(softmax(dot(x,w)+b))[arange(y.shape[0]), y])
### compile a training function for stochastic gradient descent
gw, gb = grad(loss, [w, b])
f = function(inputs=[x,y], outputs=[prediction,loss], updates={w:w-0.1*gw, b:b-0.1*gb})

for i in range(100):
    found, cost = f(images, digits.astype('int32'))
    print(cost, numpy.mean(found == digits), f)
