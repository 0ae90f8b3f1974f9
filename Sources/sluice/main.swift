internal import Glibc
internal import SluiceServer

exit(CommandLineTool.run(Array(CommandLine.arguments.dropFirst())))
