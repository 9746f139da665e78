import tir as theano
import tir.tensor
import tir.printing
a = theano.tensor.vector('a')  # declare variable
b = a + a**10                  # build expression
f = theano.function([a], b)    # compile function
print(f([0,1,2]))              # call function
print(theano.printing.pydotprint(
    theano.function([a], b, mode="FAST_COMPILE")))
