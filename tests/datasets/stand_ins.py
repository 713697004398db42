"""Writes small data sets in the formats in which the real ones come.

Each function fills a new folder and returns it. Images are 12 by 10 JPEGs of
one tint, which differs from image to image.
"""

import gzip
import json

import numpy as np
from PIL import Image

WNIDS = ["n01440764", "n01443537", "n02123045", "n02106662", "n03000134"]

COCO = (
    "1 person 2 bicycle 3 car 4 motorcycle 5 airplane 6 bus 7 train 8 truck"
    " 9 boat 10 traffic_light 11 fire_hydrant 13 stop_sign 14 parking_meter"
    " 15 bench 16 bird 17 cat 18 dog 19 horse 20 sheep 21 cow 22 elephant"
    " 23 bear 24 zebra 25 giraffe 27 backpack 28 umbrella 31 handbag 32 tie"
    " 33 suitcase 34 frisbee 35 skis 36 snowboard 37 sports_ball 38 kite"
    " 39 baseball_bat 40 baseball_glove 41 skateboard 42 surfboard"
    " 43 tennis_racket 44 bottle 46 wine_glass 47 cup 48 fork 49 knife"
    " 50 spoon 51 bowl 52 banana 53 apple 54 sandwich 55 orange 56 broccoli"
    " 57 carrot 58 hot_dog 59 pizza 60 donut 61 cake 62 chair 63 couch"
    " 64 potted_plant 65 bed 67 dining_table 70 toilet 72 tv 73 laptop"
    " 74 mouse 75 remote 76 keyboard 77 cell_phone 78 microwave 79 oven"
    " 80 toaster 81 sink 82 refrigerator 84 book 85 clock 86 vase 87 scissors"
    " 88 teddy_bear 89 hair_drier 90 toothbrush"
).split()
COCO = {
    int(key): name.replace("_", " ")
    for key, name in zip(COCO[::2], COCO[1::2], strict=True)
}

NUS_WIDE = (
    "airport animal beach bear birds boats book bridge buildings cars castle"
    " cat cityscape clouds computer coral cow dancing dog earthquake elk fire"
    " fish flags flowers food fox frost garden glacier grass harbor horses"
    " house lake leaf map military moon mountain nighttime ocean person plane"
    " plants police protest railroad rainbow reflection road rocks running"
    " sand sign sky snow soccer sports statue street sun sunset surf swimmers"
    " tattoo temple tiger tower town toy train tree valley vehicle water"
    " waterfall wedding whales window zebra"
).split()
NUS_WIDE_MISSING = [3, 17, 38]

MIRFLICKR = (
    "animals baby bird car clouds dog female flower food indoor lake male"
    " night people plant_life portrait river sea sky structures sunset"
    " transport tree water"
).split()
MIRFLICKR_RELEVANT = (
    "baby bird car clouds dog female flower male night people portrait river"
    " sea tree"
).split()


def write_jpeg(path, number):
    path.parent.mkdir(parents=True, exist_ok=True)
    tint = [37 * number % 256, 101 * number % 256, 11 * number % 256]
    pixels = np.full((12, 10, 3), tint, dtype=np.uint8)
    Image.fromarray(pixels).save(path, "JPEG")


def write_ilsvrc(folder, tree=""):
    """Writes 5 classes of 8 training and 3 validation images.

    Args:
        folder: `pathlib.Path`.
        tree: "" for folders in val/; or the folder of Data/ and Annotations/
            ("." or "ILSVRC"), which says of each validation image what it is.
    """
    images = folder / tree / "Data" / "CLS-LOC" if tree else folder
    number = 0
    for k, wnid in enumerate(WNIDS):
        for i in range(8):
            number += 1
            name = f"{wnid}_{(17 * i) % 29}.JPEG"
            write_jpeg(images / "train" / wnid / name, number)
        for i in range(3):
            number += 1
            stem = f"ILSVRC2012_val_{5 * i + (2 * k) % 5 + 1:08}"
            if not tree:
                write_jpeg(images / "val" / wnid / f"{stem}.JPEG", number)
                continue
            write_jpeg(images / "val" / f"{stem}.JPEG", number)
            file = folder / tree / "Annotations" / "CLS-LOC" / "val"
            file.mkdir(parents=True, exist_ok=True)
            file = file / f"{stem}.xml"
            file.write_text(ilsvrc_xml(stem, [wnid] * (i + 1)), "utf-8")
    return folder


def ilsvrc_xml(stem, wnids):
    """An annotation with an object for each of `wnids`."""
    objects = "".join(
        f"""\t<object>
\t\t<name>{wnid}</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>1</xmin>
\t\t\t<ymin>2</ymin>
\t\t\t<xmax>7</xmax>
\t\t\t<ymax>9</ymax>
\t\t</bndbox>
\t</object>
"""
        for wnid in wnids
    )
    return f"""<annotation>
\t<folder>val</folder>
\t<filename>{stem}</filename>
\t<source>
\t\t<database>ILSVRC_2012</database>
\t</source>
\t<size>
\t\t<width>10</width>
\t\t<height>12</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
{objects}</annotation>
"""


def write_coco(folder):
    """Writes 20 training and 10 validation images; each fifth shows nothing.

    The others show 1 to 3 of the first 8 categories, one of them twice.
    """
    (folder / "annotations").mkdir(parents=True)
    number = 0
    for part, count in (("train2014", 20), ("val2014", 10)):
        images, annotations = [], []
        for i in range(count):
            number += 1
            # Ids neither start at 1 nor rise with the lines.
            key = 9 + (7 * i) % count
            name = f"COCO_{part}_{key:012}.jpg"
            write_jpeg(folder / part / name, number)
            images.append(
                {
                    "license": 5,
                    "file_name": name,
                    "coco_url": f"http://images.cocodataset.org/{part}/{name}",
                    "height": 12,
                    "width": 10,
                    "date_captured": "2013-11-19 21:40:40",
                    "flickr_url": f"http://farm9.example.org/{key}_z.jpg",
                    "id": key,
                }
            )
            for category in coco_categories(key):
                crowd = category == 1
                outline = [[1.5, 2.25, 7.0, 2.5, 7.25, 9.0]]
                run_lengths = {"counts": [14, 6, 100], "size": [12, 10]}
                annotations.append(
                    {
                        "segmentation": run_lengths if crowd else outline,
                        "area": 20.25,
                        "iscrowd": int(crowd),
                        "image_id": key,
                        "bbox": [1.5, 2.25, 5.75, 6.75],
                        "category_id": category,
                        "id": 900100000000 + len(annotations),
                    }
                )
        content = {
            "info": {
                "description": "COCO 2014 Dataset",
                "url": "http://cocodataset.org",
                "version": "1.0",
                "year": 2014,
                "contributor": "COCO Consortium",
                "date_created": "2017/09/01",
            },
            "images": images,
            "licenses": [
                {
                    "url": "http://creativecommons.org/licenses/by/2.0/",
                    "id": 4,
                    "name": "Attribution License",
                }
            ],
            "annotations": annotations,
            "categories": [
                {"supercategory": "thing", "id": key, "name": name}
                for key, name in COCO.items()
            ],
        }
        file = folder / "annotations" / f"instances_{part}.json"
        file.write_text(json.dumps(content), encoding="utf-8")
    return folder


def coco_categories(key):
    """Ids of the categories of the objects on image `key`."""
    if key % 5 == 0:
        return []
    ids = list(COCO)[:8]
    chosen = [ids[key % 8]] * 2 + [ids[(3 * key + 1) % 8], ids[(key // 3) % 8]]
    return chosen[: 2 + key % 3]


def write_nus_wide(folder):
    """Writes 40 listed images, 3 of them missing; each ninth shows nothing.

    The others show 1 to 3 of the first 6 concepts.
    """
    for name in ("ConceptsList", "ImageList", "Groundtruth/AllLabels"):
        (folder / name).mkdir(parents=True)
    text = "".join(f"{name}\r\n" for name in NUS_WIDE)
    write_text(folder / "ConceptsList" / "Concepts81.txt", text)
    lines = []
    for i in range(40):
        topic = ("zebra", "actor", "sunset_beach")[i % 3]
        name = f"{i + 1:04}_{2124494179 + 7919 * i}.jpg"
        lines.append(f"{topic}\\{name}\r\n")
        if i not in NUS_WIDE_MISSING:
            write_jpeg(folder / "Flickr" / topic / name, i)
    write_text(folder / "ImageList" / "Imagelist.txt", "".join(lines))
    for column, concept in enumerate(NUS_WIDE):
        file = folder / "Groundtruth" / "AllLabels" / f"Labels_{concept}.txt"
        shown = [column in nus_wide_columns(i) for i in range(40)]
        write_text(file, "".join(f"{int(value)}\r\n" for value in shown))
    return folder


def nus_wide_columns(i):
    """Columns of the concepts that the image on line `i` shows, from 0."""
    return set() if i % 9 == 0 else {i % 6, (i // 2) % 6, (i // 5) % 6}


def write_mirflickr(folder):
    """Writes 40 images, each tenth without a concept, as the archives unpack.

    An image shows 1 or 2 of all concepts; every second of them is relevant.
    """
    annotations = folder / "mirflickr25k_annotations_v080"
    annotations.mkdir(parents=True)
    for number in range(1, 41):
        write_jpeg(folder / "mirflickr" / f"im{number}.jpg", number)
    write_text(folder / "mirflickr" / "doc" / "common_tags.txt", "explore 42")
    write_text(annotations / "README.txt", "MIRFLICKR-25000 annotations\r\n")
    for concept in MIRFLICKR:
        shown = [n for n in range(1, 41) if concept in mirflickr_concepts(n)]
        text = "".join(f"{number}\r\n" for number in shown)
        write_text(annotations / f"{concept}.txt", text)
        if concept in MIRFLICKR_RELEVANT:
            text = "".join(f"{n}\r\n" for n in shown if n % 2)
            write_text(annotations / f"{concept}_r1.txt", text)
    return folder


def mirflickr_concepts(number):
    """Names of the concepts that image `number` shows, less the "_r1"."""
    if number % 10 == 0:
        return set()
    return {MIRFLICKR[number % 24], MIRFLICKR[number * 5 % 24]}


def write_idx(folder, packed=True):
    """Writes 30 training and 12 test images, 28 by 28, of 3 classes.

    All pixels of an image are its number, from 0 in each part; its class is
    the number's remainder by 3.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", 30), ("t10k", 12)):
        numbers = np.arange(count, dtype=np.uint8)
        images = np.tile(numbers[:, None, None], (1, 28, 28))
        for name, array in (("images", images), ("labels", numbers % 3)):
            name = f"{part}-{name}-idx{array.ndim}-ubyte"
            content = bytes([0, 0, 8, array.ndim])
            content += np.array(array.shape, ">u4").tobytes() + array.tobytes()
            if packed:
                name, content = f"{name}.gz", gzip.compress(content)
            (folder / name).write_bytes(content)
    return folder


def write_text(file, text):
    """Writes text as it is, its line ends too."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
