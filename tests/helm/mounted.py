"""What a kubelet makes of a pod's volumes: folders whose files are links, exchanged by one rename."""
import base64
import os
import subprocess

import yaml

from chart import ROOT, container_of, find, pod_of


class Volume:
    def __init__(self, folder):
        self.folder, self.number = folder, 0
        os.makedirs(folder)

    def publish(self, files):
        self.number += 1
        fresh = "..2026_%d" % self.number
        os.mkdir(os.path.join(self.folder, fresh))
        for name, content in files.items():
            with open(os.path.join(self.folder, fresh, name), "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        swap = os.path.join(self.folder, "..data_tmp")
        os.symlink(fresh, swap)
        os.rename(swap, os.path.join(self.folder, "..data"))
        for name in files:
            if not os.path.lexists(os.path.join(self.folder, name)):
                os.symlink(os.path.join("..data", name), os.path.join(self.folder, name))


class Pod:
    """The files and the environment of a rendered Deployment, below a folder."""

    def __init__(self, objects, secrets, folder, ports=None):
        self.root, self.ports, self.volumes = folder, ports or {}, {}
        by_name = {one["name"]: one for one in pod_of(objects)["volumes"]}
        for mount in container_of(objects)["volumeMounts"]:
            volume = Volume(folder + mount["mountPath"])
            self.volumes[mount["mountPath"]] = volume
            source = by_name[mount["name"]]
            if "configMap" in source:
                data = find(objects, "ConfigMap", source["configMap"]["name"])["data"]
                volume.publish({name: self.local(name, text) for name, text in data.items()})
            elif "secret" in source:
                volume.publish(self.secret(objects, secrets, source["secret"]["secretName"]))
        self.environment = dict(os.environ)
        self.environment |= {one["name"]: one["value"] for one in
                             container_of(objects).get("env", [])}
        self.config = folder + container_of(objects)["args"][2]

    @staticmethod
    def secret(objects, secrets, name):
        if name in secrets:
            return secrets[name]
        return {key: base64.b64decode(value)
                for key, value in find(objects, "Secret", name)["data"].items()}

    def local(self, name, text):
        """rotary.yaml with ports that are free here."""
        if not self.ports or name != "rotary.yaml":
            return text
        config = yaml.safe_load(text)
        config["listeners"][0].update(address="127.0.0.1", port=self.ports["requests"])
        config["admin"]["port"] = self.ports["admin"]
        return yaml.safe_dump(config)


def certificates(folder):
    """{tls.crt, tls.key}, of those that are made for development."""
    subprocess.run([os.path.join(ROOT, "certs/make-certs.sh"), "--quiet", "--force", "--dir",
                    folder], check=True)
    found = {}
    for name, file in (("tls.crt", "dev-server.crt"), ("tls.key", "dev-server.key"),
                       ("ca.crt", "dev-ca.crt")):
        with open(os.path.join(folder, file), "rb") as one:
            found[name] = one.read()
    return found
